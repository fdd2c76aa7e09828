//! Renders the pages about applications through the real router: both languages,
//! what stands on them, what a form does without JavaScript.
#![expect(clippy::unwrap_used, reason = "a test says what it expected")]

mod support;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use std::collections::BTreeSet;
use support::{World, operator, router, run};
use tower::ServiceExt;

/// Address, a Chinese and an English phrase that must stand there.
const PAGES: &[(&str, &str, &str)] = &[
    ("/", "需要立即处理", "Needs attention now"),
    ("/?stage=prod", "生产环境", "Stage: Prod"),
    ("/search?q=claims", "搜索结果", "Results"),
    ("/applications", "新建应用", "New application"),
    ("/applications?q=nothing-like-it", "没有符合条件的应用", "No application matches"),
    ("/applications?page=2&sort=name", "第 51–71 条，共 71 条", "51–71 of 71"),
    ("/applications/new", "如何判断应用正常", "How we know it is well"),
    ("/applications/motor/claims-portal", "首次正常应答", "First good answer"),
    ("/applications/motor/photo-intake", "交付中", "Delivering"),
    ("/applications/agency/desk", "主机空出后会自动继续", "It goes on by itself when a host has room"),
    ("/applications/agency/partner-gateway", "健康检查未通过", "Not healthy"),
    ("/applications/motor/garage-finder", "没有运行中的实例", "No instance runs"),
    ("/applications/motor/claims-portal/instances", "当前占用", "What it holds"),
    ("/applications/motor/claims-portal/releases", "版本一经记录不再改变", "none of them ever changes"),
    (
        "/applications/motor/claims-portal/logs?find=health",
        "实例消失后仍可查看",
        "kept also after an instance has gone",
    ),
    ("/applications/motor/claims-portal/events", "意外结束", "ended unexpectedly"),
    ("/applications/motor/claims-portal/settings", "危险操作", "Danger zone"),
    ("/applications/motor/claims-portal/release", "发布并上线", "Go online with it"),
    ("/account", "修改密码", "Change the password"),
    ("/kit", "交付轨道", "Rail"),
    ("/sign-in", "使用员工账号", "With your staff account"),
];

async fn read(res: Response<Body>) -> (StatusCode, String) {
    let status = res.status();
    let body = res.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn get(world: &World, path: &str, cookies: &str) -> (StatusCode, String) {
    let req = Request::get(path).header(header::COOKIE, cookies).header(header::ACCEPT, "text/html");
    read(router(world.clone()).oneshot(req.body(Body::empty()).unwrap()).await.unwrap()).await
}

/// Posts a form as a browser without JavaScript does; gives the address it leads to and the cookies.
async fn post(world: &World, endpoint: &str, from: &str, fields: &str) -> (String, String) {
    let req = Request::post(format!("/api/{endpoint}"))
        .header(header::ACCEPT, "text/html,application/xhtml+xml")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::REFERER, format!("http://127.0.0.1:3000{from}"))
        .body(Body::from(fields.to_owned()))
        .unwrap();
    let res = router(world.clone()).oneshot(req).await.unwrap();
    assert_eq!(res.status(), StatusCode::FOUND);
    let to = res.headers()[header::LOCATION].to_str().unwrap().to_owned();
    let set = res.headers().get_all(header::SET_COOKIE).iter();
    let cookies = set.map(|c| c.to_str().unwrap().split(';').next().unwrap().to_owned()).collect::<Vec<_>>().join("; ");
    (to, cookies)
}

/// The values of an attribute, in order.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let mark = format!(" {name}=\"");
    html.split(&mark).skip(1).filter_map(|s| s.split('"').next()).collect()
}

/// Tags of a kind with their attributes.
fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    html.split(&format!("<{name} ")).skip(1).filter_map(|s| s.split('>').next()).collect()
}

#[test]
fn every_page_is_complete_in_both_languages() {
    run(async {
        let world = World::new(Some(operator()));
        for (path, zh, en) in PAGES {
            for (lang, tag, phrase, other) in [("zh", "zh-CN", zh, en), ("en", "en", en, zh)] {
                let (status, html) = get(&world, path, &format!("padis_lang={lang}")).await;
                assert_eq!(status, StatusCode::OK, "{path}");
                assert!(html.contains(&format!("<html lang=\"{tag}\"")), "{path} {lang}");
                assert!(html.contains(phrase), "{path} {lang}: “{phrase}” is missing");
                assert!(!html.contains(other), "{path} {lang}: “{other}” is of the other language");
                assert!(html.contains(" · Padis</title>"), "{path}: no title");
            }
        }
    });
}

#[test]
fn every_page_keeps_the_rules_of_the_kit() {
    run(async {
        let world = World::new(Some(operator()));
        for (path, ..) in PAGES {
            let (_, html) = get(&world, path, "padis_lang=en").await;
            assert!(!html.contains(" style=\""), "{path}: an inline style");
            let ids = attributes(&html, "id");
            let once: BTreeSet<_> = ids.iter().collect();
            let twice: Vec<_> = once.iter().filter(|i| ids.iter().filter(|j| j == *i).count() > 1).collect();
            assert!(twice.is_empty(), "{path}: ids twice: {twice:?}");
            let labelled: BTreeSet<_> = attributes(&html, "for").into_iter().collect();
            for kind in ["input", "select", "textarea"] {
                for tag in tags(&html, kind) {
                    let tag = format!(" {tag}");
                    // A radio button stands inside its label.
                    let free = ["type=\"hidden\"", "type=\"radio\"", "aria-label"].iter().any(|w| tag.contains(w));
                    let id = attributes(&tag, "id").first().copied().unwrap_or_default();
                    assert!(free || labelled.contains(id), "{path}: <{kind}{tag}> has no label");
                }
            }
            for described in attributes(&html, "aria-describedby") {
                assert!(
                    once.contains(&described) || described.is_empty(),
                    "{path}: #{described} describes, but is not there"
                );
            }
        }
    });
}

#[test]
fn what_does_not_exist_says_so_with_its_status() {
    run(async {
        let world = World::new(Some(operator()));
        for path in ["/nowhere", "/applications/motor/nothing", "/applications/motor/nothing/settings"] {
            let (status, html) = get(&world, path, "padis_lang=en").await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
            assert!(html.contains("There is nothing here"), "{path}");
        }
    });
}

#[test]
fn sign_in_says_what_went_wrong_and_keeps_where_to_go() {
    run(async {
        let world = World::new(None);
        let (_, html) = get(&world, "/sign-in?problem=sign_in_failed&next=/pools", "padis_lang=en").await;
        assert!(html.contains("action=\"/auth/sign-in\"") && html.contains("value=\"/pools\""));
        assert!(html.contains("Account or password is wrong"));
        let (_, html) = get(&world, "/sign-in?next=//evil.example/x", "").await;
        assert!(!html.contains("evil.example"));
    });
}

#[test]
fn a_refused_application_comes_back_with_everything_that_was_typed() {
    run(async {
        let world = World::new(Some(operator()));
        let typed = "team=motor&name=claims-portal&title=%E7%90%86%E8%B5%94&stack=tomcat%3A10.1&package=&pool=web-prod\
                     &instances=2&size=exact&cpu=0.75&mem=900&health_path=%2Fup&health_expect=FINE&env=A%3D1\
                     &secrets=TOKEN%3Dsesame&once=once-1";
        let (to, cookies) = post(&world, "create_app", "/applications/new", typed).await;
        assert!(to.starts_with("/applications/new?failed=create_app"), "{to}");
        let (_, html) = get(&world, &to, &format!("padis_lang=en; {cookies}")).await;
        assert!(html.contains("The name “claims-portal” is taken."), "the reason beside the field");
        assert!(html.contains("There is no package yet."));
        for kept in [
            "value=\"claims-portal\"",
            "value=\"理赔\"",
            "value=\"0.75\"",
            "value=\"900\"",
            "value=\"/up\"",
            "value=\"FINE\"",
            "A=1",
            "TOKEN=",
        ] {
            assert!(html.contains(kept), "{kept} is lost");
        }
        for chosen in ["value=\"tomcat:10.1\"", "value=\"web-prod\"", "value=\"exact\""] {
            let tag = tags(&html, "input").into_iter().find(|t| t.contains(chosen)).unwrap();
            assert!(tag.contains("checked"), "{chosen} is not chosen any more");
        }
        assert!(!html.contains("sesame"), "a secret came back");
        assert!(world.portal.done.lock().unwrap().is_empty());
    });
}

#[test]
fn a_complete_form_goes_online_without_javascript() {
    run(async {
        let world = World::new(Some(operator()));
        let sha = support::apps::site().sha256;
        let (_, html) = get(&world, &format!("/applications/new?package={sha}"), "padis_lang=en").await;
        assert!(html.contains("What is inside") && html.contains("letters-web.zip"));
        let typed = format!(
            "team=motor&name=letters-web&stack=nginx%3A1.22.1&package={sha}&pool=web-prod&instances=1&size=S&health_path=%2F&once=once-1"
        );
        let (to, _) = post(&world, "create_app", "/applications/new", &typed).await;
        assert!(to.starts_with("/applications/motor/letters-web"), "{to}");
        assert_eq!(*world.portal.done.lock().unwrap(), ["create motor/letters-web"]);
    });
}

#[test]
fn what_somebody_else_changed_is_shown_and_the_typed_values_stay() {
    run(async {
        let world = World::new(Some(operator()));
        let page = "/applications/motor/claims-portal/settings";
        let typed = "team=motor&app=claims-portal&seen=16&size=exact&cpu=1.5&mem=3+GiB&health_path=%2Falive&env_given=on&env=X%3D9&secrets=&once=once-1";
        let (to, cookies) = post(&world, "release_app", page, typed).await;
        assert!(to.starts_with(page) && to.contains("failed=release_app"), "{to}");
        let (_, html) = get(&world, &to, &format!("padis_lang=en; {cookies}")).await;
        assert!(html.contains("Chen Hao changed this"), "who");
        assert!(html.contains("instances: 3 → 5"), "what");
        assert!(html.contains("value=\"1.5\"") && html.contains("value=\"/alive\"") && html.contains("X=9"), "typed");
        assert!(html.contains("name=\"seen\" value=\"17\""), "the next submission is based on what is shown now");
    });
}

#[test]
fn a_button_that_may_not_be_pressed_says_why() {
    run(async {
        let world = World::new(Some(operator()));
        let (_, html) = get(&world, "/applications/motor/photo-intake", "padis_lang=en").await;
        let button = tags(&html, "button").into_iter().find(|t| t.contains("id=\"release\"")).unwrap();
        assert!(button.contains("aria-disabled=\"true\"") && button.contains("aria-describedby=\"release-why\""));
        assert!(html.contains("One delivery at a time"));
        let (_, html) = get(&world, "/?as=auditor", "padis_lang=en").await;
        assert!(html.contains("Your role may not create applications."));
    });
}

#[test]
fn a_health_rule_is_tried_without_javascript_and_nothing_typed_is_lost() {
    run(async {
        let world = World::new(Some(operator()));
        let page = "/applications/motor/claims-portal/settings";
        let typed = |expect: &str| {
            format!(
                "team=motor&app=claims-portal&seen=17&size=exact&cpu=1.5&mem=3+GiB&health_path=%2Falive&health_expect={expect}\
                 &env_given=on&env=X%3D9&secrets=TOKEN%3Dsesame&once=once-1"
            )
        };
        let (to, cookies) = post(&world, "try_health", page, &typed("UP")).await;
        assert_eq!(to, format!("{page}?asked=try_health#try_health"));
        let (_, html) = get(&world, &format!("{page}?asked=try_health"), &format!("padis_lang=en; {cookies}")).await;
        assert!(html.contains("Well: Slot 0 (198.18.24.61:8080) answered 200 after 12 ms, and “UP” is in it."));
        assert!(html.contains("&lt;b&gt;UP&lt;/b&gt;") && !html.contains("<b>UP</b>"), "the body is text");
        assert!(html.contains("value=\"1.5\"") && html.contains("value=\"/alive\"") && html.contains("X=9"), "typed");
        assert!(!html.contains("sesame") && html.contains("Type those again"), "a secret came back");
        let (_, cookies) = post(&world, "try_health", page, &typed("FINE")).await;
        let (_, html) = get(&world, &format!("{page}?asked=try_health"), &format!("padis_lang=zh; {cookies}")).await;
        assert!(html.contains("但内容不包含“FINE”"));
        // A rule that is none is said where the answer would stand.
        let (_, cookies) = post(&world, "try_health", page, "team=motor&app=claims-portal&health_path=alive").await;
        let (_, html) = get(&world, &format!("{page}?asked=try_health"), &format!("padis_lang=en; {cookies}")).await;
        let said = html.split("id=\"try_health\"").nth(1).unwrap();
        assert!(said.contains("Health page: This does not have the right form."), "{}", &said[..600]);
        assert!(world.portal.done.lock().unwrap().is_empty(), "trying changes nothing");
    });
}

#[test]
fn where_nothing_runs_trying_says_why_not() {
    run(async {
        let world = World::new(Some(operator()));
        let (_, html) = get(&world, "/applications/motor/garage-finder/settings", "padis_lang=en").await;
        let button = tags(&html, "button").into_iter().find(|t| t.contains("id=\"try\"")).unwrap();
        assert!(button.contains("aria-disabled=\"true\"") && button.contains("type=\"button\""), "{button}");
        let (_, html) = get(&world, "/applications/motor/claims-portal/settings", "padis_lang=en").await;
        let button = tags(&html, "button").into_iter().find(|t| t.contains("id=\"try\"")).unwrap();
        assert!(button.contains("type=\"submit\"") && button.contains("formaction=\"/api/try_health\""), "{button}");
    });
}

#[test]
fn a_step_that_waits_is_tried_again_from_where_it_stands_and_names_whom_to_ask() {
    run(async {
        let world = World::new(Some(operator()));
        let page = "/applications/agency/desk";
        let (_, html) = get(&world, page, "padis_lang=en").await;
        let form = html.split("id=\"retry-running-form\"").nth(1).unwrap().split("</form>").next().unwrap();
        assert!(form.contains("action=\"/api/retry\"") && form.contains("name=\"once\" value=\"once-1\""), "{form}");
        assert!(form.contains("Try again now") && !form.contains("aria-disabled"), "{form}");
        assert!(html.contains("an operator of the platform, about pool sf-prod: Zhao Min (zhao.min@example)."));
        let (_, html) = get(&world, "/applications/agency/partner-gateway", "padis_lang=zh").await;
        assert!(html.contains("可询问：开发该应用的人员；此版本由 Lin Wei 提交。"));
        let (to, _) = post(&world, "retry", page, "team=agency&app=desk&seen=17&once=once-1").await;
        assert_eq!(to, format!("{page}?done=retry"));
        assert_eq!(*world.portal.done.lock().unwrap(), ["retry app agency/desk"]);
        let (_, html) = get(&world, &to, "padis_lang=en").await;
        assert!(html.contains("Recorded; it is being tried again now."));
        // One that is well offers nothing of the kind.
        let (_, html) = get(&world, "/applications/motor/claims-portal", "padis_lang=en").await;
        assert!(!html.contains("/api/retry"));
    });
}

#[test]
fn somebody_in_several_teams_chooses_whose_package_it_is() {
    run(async {
        let world = World::new(Some(operator()));
        let choice = |html: &str| {
            let select = html.split("id=\"upload-team\"").nth(1)?;
            Some(select.split("</select>").next()?.to_owned())
        };
        // Two teams: nothing is taken for granted; the server asks for what was not chosen.
        let (_, html) = get(&world, "/applications/new", "padis_lang=en").await;
        let select = choice(&html).unwrap();
        assert!(select.contains("name=\"upload-team\""), "{select}");
        let chosen: Vec<&str> = select.split("<option").filter(|o| o.contains("selected")).collect();
        assert!(chosen.len() == 1 && chosen[0].contains("Choose a team"), "{chosen:?}");
        let at = |what: &str| html.find(what).unwrap_or(usize::MAX);
        assert!(
            at("name=\"upload-back\"") < at("id=\"upload-team\"") && at("id=\"upload-team\"") < at("id=\"file\""),
            "the server reads them before the file"
        );
        // As the upload comes back, or as the link for another team leads: its packages, its pools.
        let (_, html) = get(&world, "/applications/new?for=life", "padis_lang=zh").await;
        let select = choice(&html).unwrap();
        let chosen = select.split("<option").find(|o| o.contains("selected")).unwrap();
        assert!(chosen.contains("value=\"life\""), "{chosen}");
        let own = html.split("id=\"team\"").nth(1).unwrap().split("</select>").next().unwrap();
        assert!(own.split("<option").find(|o| o.contains("selected")).unwrap().contains("value=\"life\""), "{own}");
        assert!(html.contains("value=\"web-test\""), "a pool of that team");
        assert!(html.contains("href=\"/applications/new?for=motor\""));
        // A team that is none of his is no choice.
        let (_, html) = get(&world, "/applications/new?for=agency", "padis_lang=en").await;
        assert!(choice(&html).unwrap().contains("value=\"\" selected"));
        // Whoever is in one team is asked nothing.
        let one = padis_domain::caller::Caller {
            teams: [("motor".to_owned(), padis_domain::words::TeamRole::Lead)].into(),
            ..operator()
        };
        let (_, html) = get(&World::new(Some(one)), "/applications/new", "padis_lang=en").await;
        assert!(choice(&html).is_none() && html.contains("name=\"upload-team\" value=\"motor\""));
    });
}
