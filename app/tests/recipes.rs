//! The pages of recipes with made-up ones: what they show, and what becomes of their forms.

mod support;

use http::StatusCode;
use support::visit::{location, page, post};
use support::{World, auditor, member, operator, run};

fn of_id() -> String {
    format!("/images/recipes/{}", support::recipes::ID)
}

#[test]
fn a_recipe_is_one_form_with_what_was_typed() {
    run(async {
        let world = World::new(Some(member()));
        let (_, html) = page(&world, &of_id(), "padis_lang=en").await;
        let form =
            html.split("<form").find(|f| f.contains("multipart/form-data")).and_then(|s| s.split("</form>").next());
        let form = form.unwrap();
        let action = format!("action=\"/recipes/{}\"", support::recipes::ID);
        assert!(form.contains(&action));
        // The Enter key keeps, and takes no file out.
        let first = form.split("<button").nth(1).and_then(|s| s.split('>').next()).unwrap();
        assert!(first.contains("value=\"save\"") && first.contains("name=\"do\""), "{first}");
        assert!(form.contains("curl\n&lt;b>") && !form.contains("<b>"), "{form}");
        assert!(form.contains("value=\"/etc/nginx/&lt;x&gt;.conf\"") && form.contains("name=\"drop\""));
        for name in [
            "base_repository",
            "base_tag",
            "pool",
            "packages",
            "env",
            "start",
            "repository",
            "tag",
            "description",
            "target",
            "executable",
            "file",
            "contract_port",
        ] {
            assert!(form.contains(&format!("name=\"{name}\"")), "{name}");
        }
        assert!(
            form.find("name=\"target\"") < form.find("type=\"file\"")
                && form.find("name=\"executable\"") < form.find("type=\"file\"")
        );
        assert!(html.contains("It begins with teams/motor/") && html.contains("Build 2") && html.contains("Not built"));
    });
}

#[test]
fn what_is_wrong_is_said_beside_its_field_with_its_line() {
    run(async {
        let world = World::new(Some(member()));
        let fault = padis_app::wire::text(&padis_app::api::Fault::Portal(padis_domain::Problem::Fields {
            problems: ["packages", "contract_port"]
                .map(|f| padis_domain::Problem::field(f, padis_domain::problem::ValueFault::Malformed))
                .to_vec(),
        }));
        let query: String = url_escape(&fault);
        let at = format!("{}?failed=save_recipe&problem={query}&target=/srv/", of_id());
        let (status, html) = page(&world, &at, "padis_lang=en").await;
        assert_eq!(status, StatusCode::OK);
        let field =
            |id: &str| html.split(&format!("id=\"{id}\"")).nth(1).and_then(|s| s.split('>').next()).unwrap().to_owned();
        assert!(field("packages").contains("aria-invalid=\"true\""), "{}", field("packages"));
        assert!(html.contains("Line 2: "), "the line is said");
        assert!(html.contains("<details open class=\"contract\""));
        assert!(field("target").contains("value=\"/srv/\""), "{}", field("target"));
    });
}

fn url_escape(s: &str) -> String {
    s.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[test]
fn a_build_shows_how_far_it_is_and_what_it_says() {
    run(async {
        let world = World::new(Some(member()));
        let (_, html) = page(&world, &format!("{}/2", of_id()), "padis_lang=en").await;
        assert!(html.contains("step 3 of 9") && html.contains("pushed: 1 MB of 4 MB") && html.contains("build-stop"));
        assert!(html.contains("RUN &lt;apt&gt;") && !html.contains("<apt>"));
        assert!(html.contains(&format!("/recipes/{}/builds/2/output", support::recipes::ID)));
        let (_, html) = page(&world, &format!("{}/1", of_id()), "padis_lang=zh").await;
        assert!(
            html.contains("构建失败")
                && html.contains("step 3 of 9 ended with code 100")
                && html.contains("只显示最后一部分")
        );
        assert!(!html.contains("build-stop"));
        let (_, html) = page(&world, &format!("{}/3", of_id()), "padis_lang=en").await;
        assert!(html.contains("/images/padis/teams/motor/nginx:2"));
        let (status, _) = page(&world, &format!("{}/9", of_id()), "padis_lang=en").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        post(&world, "cancel_build", &format!("{}/2", of_id()), &format!("id={}&number=2", support::recipes::ID)).await;
        post(&world, "end_recipe", &of_id(), "id=x").await;
        let res =
            post(&world, "start_recipe", "/images/padis/stacks/nginx:1.22", "repository=stacks/nginx&tag=1.22").await;
        assert!(location(&res).starts_with(&of_id()), "{}", location(&res));
        let done = world.portal.done.lock().unwrap().clone();
        assert_eq!(
            done,
            [
                format!("stop build 2 of {}", support::recipes::ID),
                "end recipe x".into(),
                "begin a recipe on stacks/nginx:1.22".into()
            ]
        );
    });
}

#[test]
fn lists_strangers_and_where_nothing_can_be_built() {
    run(async {
        let world = World::new(Some(operator()));
        let (_, html) = page(&world, "/images/recipes", "padis_lang=en").await;
        assert!(html.contains("teams/motor/nginx:2") && html.contains("stacks/nginx:1.22") && html.contains("Build 2"));
        let (_, html) = page(&world, "/images/recipes?q=x", "padis_lang=en").await;
        assert!(html.contains("No recipe matches") || html.contains("No recipe yet"));
        let (status, _) = page(&world, "/images/recipes/absent", "padis_lang=en").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let (_, html) = page(&world, "/images/recipes/nowhere", "padis_lang=en").await;
        assert!(html.contains("There is no pool that you may build in"));
        // A version's page says how it was built.
        let (_, html) = page(&world, "/images/padis/stacks/nginx:1.22", "padis_lang=en").await;
        assert!(html.contains("built from a recipe by Chen Hao") && html.contains("recipe-start"));
        let world = World::new(Some(auditor()));
        let (_, html) = page(&world, &of_id(), "padis_lang=en").await;
        assert!(!html.contains("recipe-build") && !html.contains("recipe-end") && html.contains("With &lt;curl&gt;"));
    });
}
