//! The operators' pages through the real router: both languages, every role,
//! with and without JavaScript; and the server functions as a stranger.

#![expect(clippy::unwrap_used, reason = "the helpers of the tests; a failure is a failed test")]

mod support;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use padis_app::api::{ENDPOINTS, Fault, Kind};
use padis_domain::Problem;
use support::visit::{cookies, location, page, post};
use support::{World, auditor, member, operator, router, run};
use tower::ServiceExt;

const PAGES: &[(&str, &str, &str)] = &[
    ("/pools", "资源池", "Pools"),
    ("/pools/new", "新建资源池", "New pool"),
    ("/pools/sf-prod", "团队与配额", "Teams and quotas"),
    ("/pools/sf-prod?quota=motor", "Motor claims 的配额", "Quota of Motor claims"),
    ("/pools/sf-prod", "正在腾空，还有 10 个实例", "Being emptied, 10 left"),
    ("/pools/sf-prod?host=a2", "停用 sf-h02", "Take sf-h02 out of service"),
    ("/pools/sf-prod/edit", "修改 sf-prod", "Change sf-prod"),
    ("/addresses", "每个子网的地址", "The addresses of every subnet"),
    ("/addresses/sf-prod?at=198.18.24.31", "打开应用", "Open the application"),
    ("/addresses/large-test?block=3", "地址块", "Blocks"),
    ("/names", "解析为", "Resolves to"),
    ("/balancers", "检查未通过", "Check fails"),
    ("/activity", "记录链完整", "Chain unbroken"),
    ("/activity/work", "已搁置", "Parked"),
    ("/activity/centre", "3 个实例有变化", "3 instances of 2 applications had changed"),
    ("/activity/centre", "最早的已到期 40 秒", "the oldest has been due for 40 s"),
    ("/cluster", "主节点 10.0.0.5:5050", "leader 10.0.0.5:5050"),
    ("/cluster", "已放弃 2 台主机", "has given up 2 hosts"),
    ("/cluster", "预留 8 GiB", "8 GiB reserved"),
    (
        "/cluster?sort=down",
        "下面是此前的数据。connection refused",
        "what stands below is from before. connection refused",
    ),
    ("/cluster?q=c-S1", "为 payments 预留", "Reserved for payments"),
    ("/cluster?q=c-S3", "它还没有回来", "no more than its name is known"),
    ("/cluster?state=roles", "上限 8 CPU · 16 GiB", "at most 8 CPUs · 16 GiB"),
    ("/cluster?state=roles", "此版本不提供", "this version does not tell"),
    ("/cluster?state=roles&sort=untold", "HTTP 403", "The master does not tell its roles"),
    ("/cluster?state=frameworks", "Padis 使用", "Padis' own"),
    ("/admin", "新建团队", "New team"),
    ("/admin/teams?edit=motor", "成员所在的目录组", "Groups whose people are members"),
    ("/admin/people?edit=%2B", "新建账号", "New account"),
    ("/admin/sessions", "当前会话", "this one"),
    ("/admin/systems", "没有应答", "Does not answer"),
    ("/middleware", "接收", "Takes"),
    ("/middleware/tomcat%3A10.1", "适用环境", "Stages that it is for"),
    ("/images", "没有应答", "does not answer"),
    ("/images/copies", "复制中", "On its way"),
    ("/images/archives", "文件含有多个镜像名：a:1", "The file holds several names: a:1"),
    ("/images/archives?state=running", "这里的主机不能运行它", "hosts here can't run it"),
    ("/images/padis/stacks/nginx:1.22", "下载镜像文件", "Download as an archive"),
    ("/images/promotions", "等待批准", "Waits for a yes"),
    ("/images/workbenches", "可以使用", "Being started"),
    ("/images/workbenches/0193c5d2a1b07f3e8a55d0c4e1f2a3b4", "使用约定", "Where the package goes"),
    ("/images/recipes", "构建中", "Being built"),
    ("/images/recipes/0193c5d2a1b07f3e8a55d0c4e1f2a3b5", "环境变量和启动命令", "Variables and start command"),
    ("/images/recipes/0193c5d2a1b07f3e8a55d0c4e1f2a3b5/2", "停止构建", "step 3 of 9"),
    ("/images/storage", "已读取清单 1,234 / 2,000", "1,234 of 2,000 manifests read"),
    ("/images/storage", "无法读取：a/b@sha256:&lt;odd&gt;", "a manifest that can't be read may name them"),
    ("/images/storage", "请在它所在的机器上运行", "Run registry garbage-collect on its machine"),
    ("/images/padis/stacks/nginx:broken", "删除这个版本", "Delete this version"),
    ("/images/padis/stacks/nginx:1.22", "先在中间件页面停用它", "Retire it on the page Middleware first"),
    ("/images/vulnerabilities", "受影响的应用", "Applications that have it"),
    ("/images/padis/stacks/nginx:1.22?file=conf", "软件物料清单", "Mended in"),
    ("/images/padis/stacks/nginx:1.22", "rpm 数据库为旧格式", "Its rpm database is of an older form"),
    ("/images/prod/stacks/nginx", "没有及时应答", "did not answer in time"),
    ("/images/padis/stacks/nginx", "版本 3 / 20，1.2 GB", "versions 3 / 20, 1.2 GB"),
    ("/images/padis/stacks/nginx?newest=1&days=2", "会删除 1 个", "1 would go"),
    ("/images/padis/stacks/nginx:1.22", "从下往上", "from the bottom up"),
    ("/images/padis/stacks/nginx:broken", "无法读取", "its configuration is not there"),
    ("/packages", "上传应用包", "Upload a package"),
    ("/packages/9f2c41d7a0b1c2d3e4f5061728394a5b6c7d8e9f00112233445566775be01a00", "包内内容", "What is inside"),
];

fn app(world: &World) -> Router {
    router(world.clone())
}

async fn read(res: Response<Body>) -> (StatusCode, String) {
    let status = res.status();
    let body = res.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn every_page_is_complete_in_both_languages_without_inline_styles() {
    run(async {
        let world = World::new(Some(operator()));
        for (path, zh, en) in PAGES {
            for (lang, word) in [("zh", zh), ("en", en)] {
                let (status, html) = page(&world, path, &format!("padis_lang={lang}")).await;
                assert_eq!(status, StatusCode::OK, "{path}");
                assert!(html.contains(word), "{path} in {lang} lacks {word}");
                assert!(!html.contains(" style=\""), "{path} has an inline style");
                assert!(!html.contains(" onclick="), "{path} has an inline handler");
                assert_eq!(html.matches("<h1").count(), 1, "{path} has one title");
            }
        }
    });
}

#[test]
fn whoever_may_only_look_sees_every_page_and_no_button_that_works() {
    run(async {
        let world = World::new(Some(auditor()));
        for (path, ..) in PAGES {
            let (status, html) = page(&world, path, "padis_lang=en").await;
            assert_eq!(status, StatusCode::OK, "{path}");
            // The only forms that post are the frame's own.
            for form in html.split("<form").skip(1).map(|f| f.split("</form>").next().unwrap_or(f)) {
                let changes = form.contains("/api/") || form.contains("/uploads/") || form.contains("/images-archive");
                let works = form.contains("type=\"submit\"");
                let ends_own_session = form.contains("/api/revoke_session");
                assert!(!(changes && works) || ends_own_session, "{path}: {form}");
            }
        }
    });
}

#[test]
fn a_member_is_told_where_to_look_instead_of_the_journal() {
    run(async {
        let world = World::new(Some(member()));
        let (status, html) = page(&world, "/activity", "padis_lang=en").await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(html.contains("has its own events"));
        let (status, _) = page(&world, "/admin/systems", "").await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        let (status, html) = page(&world, "/cluster", "padis_lang=en").await;
        assert_eq!((status, html.contains("sf-h01")), (StatusCode::FORBIDDEN, false));
        let (_, html) = page(&world, "/pools", "padis_lang=en").await;
        assert!(!html.contains("/cluster"), "nothing leads there");
        let (status, _) = page(&world, "/pools/no-such-pool", "").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    });
}

/// Arguments that every read takes, so that it is the caller that is refused.
fn arguments(name: &str) -> String {
    let list = "q%5Bq%5D=";
    let log = "q%5Btask_id%5D=t&q%5Bfile%5D=f&q%5Blength%5D=1&q%5Bfind%5D=";
    let q = match name {
        "search" | "balancer_page" => "q=a",
        "log" => log,
        _ => list,
    };
    format!(
        "{q}&app%5Bteam%5D=motor&app%5Bapp%5D=a&release=1&minutes=5&name=x&sha256=x&pool=x&block=0&page=1&endpoint=x&everybody=false&part=systems"
    )
}

#[test]
fn a_stranger_is_refused_by_every_server_function() {
    run(async {
        let world = World::new(None);
        for (name, kind, _) in ENDPOINTS.iter().filter(|(n, ..)| *n != "me") {
            let req = match kind {
                Kind::Read => Request::get(format!("/api/{name}?{}", arguments(name))),
                Kind::Check | Kind::Change => Request::post(format!("/api/{name}"))
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
            };
            let req = req.header(header::ACCEPT, "application/json").body(Body::empty()).unwrap();
            let (status, body) = read(app(&world).oneshot(req).await.unwrap()).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{name}: {body}");
            assert_eq!(serde_json::from_str::<Fault>(&body).unwrap(), Fault::Portal(Problem::NotSignedIn), "{name}");
        }
        assert!(world.portal.done.lock().unwrap().is_empty());
    });
}

#[test]
fn a_refused_change_has_its_status_and_an_unreadable_request_too() {
    run(async {
        let world = World::new(Some(auditor()));
        let send = |path: &str, body: &'static str| {
            let req = Request::post(path)
                .header(header::ACCEPT, "application/json")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(body))
                .unwrap();
            let app = app(&world);
            async move { read(app.oneshot(req).await.unwrap()).await }
        };
        let form = "name=p&stage=dev&zone=WEB&subnet=10.1.0.0/24&gateway=10.1.0.1&domain=d";
        let (status, body) = send("/api/put_pool", form).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
        let req = Request::get("/api/delivery?release=many").header(header::ACCEPT, "application/json");
        let (status, body) = read(app(&world).oneshot(req.body(Body::empty()).unwrap()).await.unwrap()).await;
        assert_eq!((status, body.as_str()), (StatusCode::BAD_REQUEST, r#""out_of_date""#));
    });
}

#[test]
fn without_javascript_a_form_comes_back_with_everything_that_was_typed() {
    run(async {
        let world = World::new(Some(operator()));
        let fields = "name=taken&stage=test&zone=SF&hosts=rack%3Da1&subnet=10.9.0.0%2F24&gateway=10.9.0.1&vlan=77\
                      &domain=t.example&ttl_s=9&quarantine_s=8&seen=0&once=o1";
        let res = post(&world, "put_pool", "/pools/new", fields).await;
        assert_eq!(res.status(), StatusCode::FOUND);
        let (to, kept) = (location(&res), cookies(&res));
        assert!(to.starts_with("/pools/new?failed=put_pool&problem="), "{to}");
        let (status, html) = page(&world, &to, &format!("padis_lang=en; {kept}")).await;
        assert_eq!(status, StatusCode::OK);
        assert!(html.contains("The name “taken” is taken."));
        for typed in [
            "value=\"taken\"",
            "rack=a1",
            "value=\"10.9.0.0/24\"",
            "value=\"77\"",
            "value=\"t.example\"",
            "value=\"9\"",
        ] {
            assert!(html.contains(typed), "{typed} is lost");
        }
        assert!(html.contains("<option value=\"SF\" selected"), "the zone is lost");
        // Another account on the same browser does not get it.
        let other = World::new(Some(member()));
        let (_, html) = page(&other, &to, &kept).await;
        assert!(!html.contains("10.9.0.0/24"));
    });
}

#[test]
fn malformed_values_are_said_beside_their_fields_all_at_once() {
    run(async {
        let world = World::new(Some(operator()));
        let res = post(&world, "put_pool", "/pools/new", "name=p&stage=dev&zone=WEB&subnet=10.9.0.1%2F24&vlan=x").await;
        let (_, html) = page(&world, &location(&res), &format!("padis_lang=en; {}", cookies(&res))).await;
        assert!(html.contains("2 entries need a change."));
        assert_eq!(html.matches("This does not have the right form.").count(), 2);
        assert!(world.portal.done.lock().unwrap().is_empty(), "the portal was not asked");
    });
}

#[test]
fn a_password_travels_inwards_only() {
    run(async {
        let world = World::new(Some(operator()));
        let fields =
            "account=chen.hao&name=Chen&password=correct-horse-9&enabled=on&teams%5Bmotor%5D=lead&new=on&once=o1";
        let res = post(&world, "put_person", "/admin/people?edit=%2B", fields).await;
        let (to, kept) = (location(&res), cookies(&res));
        assert!(to.starts_with("/admin/people?edit=%2B&failed=put_person"), "{to}");
        assert!(!to.contains("correct-horse") && !kept.contains("correct-horse"));
        let (_, html) = page(&world, &to, &format!("padis_lang=en; {kept}")).await;
        assert!(!html.contains("correct-horse"));
        assert!(html.contains("value=\"chen.hao\"") && html.contains("is taken"));
        assert!(html.contains("<option value=\"lead\" selected"), "the team is lost");
    });
}

#[test]
fn success_without_javascript_is_said_on_the_page() {
    run(async {
        let world = World::new(Some(operator()));
        let at = "/addresses/sf-prod?state=reserved&failed=reserve&problem=%7B%7D";
        let res = post(&world, "reserve", at, "pool=sf-prod&from=198.18.24.200&to=&reason=printers").await;
        assert_eq!(location(&res), "/addresses/sf-prod?state=reserved&done=reserve");
        let (_, html) = page(&world, &location(&res), "padis_lang=en").await;
        assert!(html.contains("The addresses are reserved now."));
        assert_eq!(*world.portal.done.lock().unwrap(), ["reserve sf-prod 198.18.24.200 198.18.24.200"]);
        let res = post(&world, "put_team", "/admin/teams?edit=%2B", "slug=new&title=New&new=on&once=o").await;
        assert_eq!(location(&res), "/admin/teams?done=put_team");
    });
}

#[test]
fn a_large_subnet_sends_one_block_to_the_browser() {
    run(async {
        let world = World::new(Some(operator()));
        let (_, html) = page(&world, "/addresses/large-test?block=3", "padis_lang=en").await;
        assert_eq!(html.matches("id=\"c-").count(), 256);
        assert_eq!(html.matches("class=\"block\"").count(), 16);
        assert!(html.len() < 220_000, "{} bytes", html.len());
        // An address leads to its block.
        let (_, html) = page(&world, "/addresses/large-test?at=198.19.5.7", "padis_lang=en").await;
        assert!(html.contains("href=\"/addresses/large-test?at=198.19.5.8\""));
    });
}

#[test]
fn the_map_is_open_to_a_keyboard_without_scripts() {
    run(async {
        let world = World::new(Some(operator()));
        let (_, html) = page(&world, "/addresses/sf-prod?state=reserved", "padis_lang=en").await;
        assert!(!html.contains("tabindex=\"-1\" id=\"c-") && html.contains("class=\"map dim\""));
        assert!(html.contains("198.18.24.31 allocated, motor/claims-portal"));
    });
}

#[test]
fn the_journal_is_read_by_time_and_a_wrong_time_is_said_beside_it() {
    run(async {
        let world = World::new(Some(operator()));
        // Rows lie a minute apart up to 14:03:34; the end's minute is included.
        let path = "/activity?from=2026-11-22T14%3A00&to=2026-11-22T14%3A01&state=app";
        let (status, html) = page(&world, path, "padis_lang=en").await;
        assert_eq!(status, StatusCode::OK);
        let seen: Vec<&str> = html.split("id=\"j-").skip(1).filter_map(|s| s.split('"').next()).collect();
        assert_eq!(seen, ["212", "211"]);
        assert!(html.contains("name=\"from\" value=\"2026-11-22T14:00\""), "what was asked stands in the form");
        assert!(html.contains("1–2 of 2"), "paging counts what the filter leaves");
        assert!(
            html.contains("from%5D=1795327200000") && html.contains("to%5D=1795327319999"),
            "the export is cut alike"
        );
        assert!(html.contains("From (UTC+8)") && html.contains("last 7 days"));
        // A person's rows are a link away, in the same span.
        assert!(html.contains("q=chen.hao") && html.contains("title=\"Only what chen.hao did\""));
        for (query, zh, en) in [
            ("from=yesterday", "格式不正确", "does not have the right form"),
            ("from=2026-11-22T14:00&to=2026-11-22T13:00", "结束时间早于开始时间", "The end lies before the beginning"),
        ] {
            for (lang, words) in [("zh", zh), ("en", en)] {
                let (_, html) = page(&world, &format!("/activity?{query}"), &format!("padis_lang={lang}")).await;
                assert!(html.contains(words) && html.contains("aria-invalid=\"true\""), "{query} {lang}");
                assert!(!html.contains("id=\"j-"), "{query}: rows of a span that is none");
                assert!(html.contains("role=\"search\""), "{query}: the filter is gone");
            }
        }
    });
}

#[test]
fn a_pool_shows_what_it_shares_with_the_others() {
    run(async {
        let world = World::new(Some(operator()));
        let (_, html) = page(&world, "/pools/web-prod", "padis_lang=en").await;
        let table =
            html.split("What web-prod shares with other pools").last().unwrap().split("</table>").next().unwrap();
        let row = |pool: &str| {
            let all = table.split("<tr").find(|r| r.contains(&format!("href=\"/pools/{pool}\""))).unwrap();
            assert!(all.contains("<th scope=\"row\""), "{all}");
            all
        };
        assert!(
            row("web-test").contains("the same: WEB, internal") && row("web-test").contains("2 hosts: sf-h03, sf-h07")
        );
        assert!(row("sf-prod").contains("another: SF, application logic") && row("sf-prod").contains("none"));
        assert!(row("sf-prod").contains("apart: 198.18.24.0/24") && row("sf-prod").contains("the same: 1240"));
        assert!(row("large-test").contains("none there"));
        let (_, html) = page(&world, "/pools/web-prod", "padis_lang=zh").await;
        assert!(html.contains("web-prod 与其他资源池的隔离") && html.contains("共用 2 台主机：sf-h03、sf-h07"));
    });
}

#[test]
fn the_form_that_takes_an_image_is_plain_html_with_the_file_last() {
    run(async {
        for (who, path, given) in [
            (operator(), "/images", false),
            (operator(), "/images/padis/stacks/nginx", true),
            (member(), "/images", false),
        ] {
            let team = who.platform.is_none();
            let world = World::new(Some(who));
            let (_, html) = page(&world, path, "padis_lang=en").await;
            let form = html.split("id=\"bring-form\"").nth(1).and_then(|f| f.split("</form>").next()).unwrap();
            assert!(form.contains("action=\"/images-archive\"") && form.contains("enctype=\"multipart/form-data\""));
            let at = |text: &str| form.find(text).unwrap_or_else(|| panic!("{path} lacks {text}: {form}"));
            let file = at("id=\"bring-file\"");
            for name in ["back", "once", "registry", "repository", "tag"] {
                assert!(at(&format!("name=\"{name}\"")) < file, "{name} stands before the file");
            }
            assert_eq!(form.contains("id=\"bring-repository\""), !given, "{path}");
            assert_eq!(form.contains("It begins with teams/motor/"), team);
            assert!(form.contains(&format!("name=\"back\" value=\"{path}\"")), "{form}");
        }
        let world = World::new(Some(auditor()));
        for path in ["/images", "/images/padis/stacks/nginx"] {
            assert!(!page(&world, path, "padis_lang=en").await.1.contains("bring-form"), "{path}");
        }
    });
}

#[test]
fn what_is_wrong_with_an_image_that_was_sent_stands_beside_its_field() {
    run(async {
        let world = World::new(Some(operator()));
        let taken = Problem::NameTaken { field: "tag".to_owned(), name: "1.22".to_owned() };
        let said = padis_app::wire::text(&Fault::Portal(taken));
        let said: String = said.bytes().map(|b| format!("%{b:02x}")).collect();
        let path = format!("/images/padis/stacks/nginx?failed=bring_archive&problem={said}");
        let typed = "padis_form_0=bring_archive!olga.ops!registry=padis&repository=x&tag=1.22";
        let (_, html) = page(&world, &path, &format!("padis_lang=en; {typed}")).await;
        let form = html.split("id=\"bring-form\"").nth(1).and_then(|f| f.split("</form>").next()).unwrap();
        let line = form.split("id=\"bring-tag-line\"").nth(1).and_then(|f| f.split("</p>").next()).unwrap();
        assert!(line.contains("1.22"), "{form}");
        assert!(form.contains("name=\"repository\" value=\"stacks/nginx\""), "the page says where it goes");
        let (_, html) = page(&world, "/images/padis/stacks/nginx:1.22", "padis_lang=en").await;
        let link = html.split("id=\"download-archive\"").nth(1).and_then(|l| l.split("</a>").next()).unwrap();
        assert!(link.contains("href=\"/images-archive/padis/stacks/nginx:1.22\"") && link.contains("12 MB"), "{link}");
        let (_, html) = page(&world, "/images/archives?done=bring_archive", "padis_lang=en").await;
        assert!(html.contains("The file is here"));
    });
}

#[test]
fn a_rule_that_is_kept_is_shown_to_who_may_end_it_and_another_can_be_kept_once_it_was_seen() {
    run(async {
        const PATH: &str = "/images/padis/stacks/nginx";
        let world = World::new(Some(operator()));
        let (_, html) = page(&world, PATH, "padis_lang=en").await;
        assert!(html.contains("Every day: the newest 3 stay, and what is younger than 14 days"), "{html}");
        assert!(html.contains("id=\"rule-end\"") && html.contains("by the rule") && !html.contains("id=\"rule-keep\""));
        // The one that is kept is not offered again.
        for (query, offered) in [("?newest=3&days=14", false), ("?newest=4&days=14", true)] {
            let (_, html) = page(&world, &format!("{PATH}{query}"), "padis_lang=en").await;
            assert_eq!(html.contains("id=\"rule-keep\""), offered, "{query}");
        }
        let (_, html) = page(&world, PATH, "padis_lang=zh").await;
        assert!(html.contains("每天清理：保留最新 3 个和不足 14 天的版本"));
        let fields = "registry=padis&repository=stacks%2Fnginx&newest=4&days=14";
        for endpoint in ["keep_rule", "end_rule"] {
            let answer = post(&world, endpoint, PATH, fields).await;
            assert_eq!(answer.status(), StatusCode::FOUND);
            assert!(location(&answer).contains(&format!("done={endpoint}")), "{}", location(&answer));
        }
        let did = world.portal.done.lock().unwrap().clone();
        assert_eq!(did, ["keep stacks/nginx tidy: 4 14", "keep stacks/nginx tidy no longer"]);
        let world = World::new(Some(auditor()));
        let (_, html) = page(&world, PATH, "padis_lang=en").await;
        assert!(!html.contains("id=\"rule-end\""));
    });
}
