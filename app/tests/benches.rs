//! The pages of workbenches with made-up ones: what they show, and what becomes of their forms.

mod support;

use http::StatusCode;
use support::visit::{cookies, location, page, post};
use support::{World, auditor, member, operator, run};

fn of_id() -> String {
    format!("/images/workbenches/{}", support::benches::ID)
}

#[test]
fn what_was_changed_stands_as_a_tree_and_what_should_not_go_in_is_pointed_out() {
    run(async {
        let world = World::new(Some(operator()));
        let (_, html) = page(&world, &of_id(), "padis_lang=en").await;
        let tree = html.split("class=\"tree\"").nth(1).expect("a tree");
        // Folders without a change of their own are one line, and what is written is escaped.
        assert!(
            tree.contains("/etc/nginx") && html.contains("&lt;gzip&gt;.conf") && !html.contains("<gzip>"),
            "{tree}"
        );
        let line = |path: &str| html.split(path).nth(1).and_then(|s| s.split("</li>").next()).unwrap().to_owned();
        assert!(line("/root/.bash_history").contains("what somebody typed"));
        assert!(line("error.log").contains("a log"));
        assert!(line("index.html").contains("deleted") && !line("index.html").contains("class=\"second\""));
        assert!(html.contains("paths: 8") && html.contains("3 more are not listed"));
        // Two are pointed out, and left out unless somebody says otherwise.
        assert!(html.contains("Leave out what is pointed out (2)"), "{html}");
        assert!(html.contains("1 MB of 4 MB"), "how far it is");
        assert!(html.contains("/benches/0193c5d2a1b07f3e8a55d0c4e1f2a3b4/records/1") && html.contains(">open<"));
    });
}

#[test]
fn what_is_wrong_with_a_version_is_said_beside_its_fields_and_nothing_is_lost() {
    run(async {
        let world = World::new(Some(operator()));
        let at = of_id();
        let fields =
            "bench=x&repository=stacks/nginx&tag=1.22.1-9&description=With+more&contract_name=nginx&contract_port=many";
        let res = post(&world, "commit_bench", &at, fields).await;
        let to = location(&res);
        assert!(to.starts_with(&at) && to.contains("failed=commit_bench"), "{to}");
        let (status, html) = page(&world, &to, &format!("padis_lang=en; {}", cookies(&res))).await;
        assert_eq!(status, StatusCode::OK);
        let tag = html.split("id=\"tag\"").nth(1).and_then(|s| s.split('>').next()).unwrap();
        assert!(tag.contains("aria-invalid=\"true\"") && tag.contains("value=\"1.22.1-9\""), "{tag}");
        let port = html.split("id=\"contract_port\"").nth(1).and_then(|s| s.split('>').next()).unwrap();
        assert!(port.contains("aria-invalid=\"true\"") && port.contains("value=\"many\""), "{port}");
        // The contract is open: what is wrong in it would not be seen.
        assert!(html.contains("<details open class=\"contract\""), "the contract is closed: {html}");
        assert!(html.contains("value=\"With more\""));
        assert!(!html.contains("name=\"leave_out\" value=\"yes\" checked"), "it was not ticked");
        let good = fields.replace("many", "8080").replace("1.22.1-9", "2") + "&leave_out=yes";
        let res = post(&world, "commit_bench", &at, &good).await;
        assert!(location(&res).contains("done=commit_bench"));
        assert_eq!(*world.portal.done.lock().unwrap(), ["keep stacks/nginx:2 without doubts: true, port 8080"]);
    });
}

#[test]
fn one_is_started_from_a_version_and_ended() {
    run(async {
        let world = World::new(Some(member()));
        let at = "/images/padis/stacks/nginx:1.22";
        let (_, html) = page(&world, at, "padis_lang=zh").await;
        assert!(
            html.contains("打开工作台")
                && html.contains("Chen Hao 在工作台中制作")
                && html.contains("With &lt;gzip&gt;")
        );
        let res = post(&world, "start_bench", at, "repository=stacks/nginx&tag=1.22&pool=").await;
        let (_, html) = page(&world, &location(&res), &format!("padis_lang=en; {}", cookies(&res))).await;
        let pool = html.split("id=\"bench-pool\"").nth(1).and_then(|s| s.split('>').next()).unwrap();
        assert!(pool.contains("aria-invalid=\"true\""), "{pool}");
        let res = post(&world, "start_bench", at, "repository=stacks/nginx&tag=1.22&pool=web-test").await;
        assert!(location(&res).starts_with(&of_id()), "{}", location(&res));
        // A member is told where his versions go.
        let (_, html) = page(&world, &location(&res), "padis_lang=en").await;
        assert!(html.contains("It begins with teams/motor/") && html.contains("value=\"teams/motor/nginx\""));
        post(&world, "end_bench", &of_id(), "id=x").await;
        let done = world.portal.done.lock().unwrap().clone();
        assert_eq!(done, ["start a workbench from stacks/nginx:1.22 in web-test", "end workbench x"]);
    });
}

#[test]
fn lists_and_strangers() {
    run(async {
        let world = World::new(Some(operator()));
        let (_, html) = page(&world, "/images/workbenches", "padis_lang=en").await;
        assert!(html.contains("stacks/nginx") && html.contains("no &lt;image&gt; there"));
        let (_, html) = page(&world, "/images/workbenches?state=ended", "padis_lang=en").await;
        assert!(html.contains("No workbench matches"));
        let (status, _) = page(&world, "/images/workbenches/absent", "padis_lang=en").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let world = World::new(Some(auditor()));
        let (_, html) = page(&world, &of_id(), "padis_lang=en").await;
        assert!(!html.contains("bench-commit") && !html.contains("bench-terminal") && !html.contains("bench-end"));
        assert!(html.contains("records/1"), "an auditor reads what terminals showed");
    });
}
