//! What is decided about middleware, and what may be chosen then.

use crate::support::each_database;
use crate::world::{MARK, STACK, World, auditor, lead, new_app, operator, stranger};
use padis_domain::Problem;
use padis_domain::portal::Portal;
use padis_domain::problem::ValueFault;
use padis_domain::view::{MarkEdit, NewRelease, StackState};
use padis_domain::words::Stage;

const NEXT: &str = "nginx:1.26";

async fn successor(w: &World) {
    w.sql(&format!(
        "INSERT INTO stack (key, repository, tag, digest, image, bytes, created, contract, seen_at) \
         SELECT '{NEXT}', repository, '1.26', 'sha256:2', 'r/stacks/nginx@sha256:2', 6, '', contract, 1 FROM stack WHERE key = '{STACK}'"
    ))
    .await;
}

fn mark(state: StackState) -> MarkEdit {
    MarkEdit {
        key: STACK.into(),
        state,
        stages: Stage::ALL.to_vec(),
        successor: NEXT.into(),
        note: "no more fixes".into(),
    }
}

async fn decide(w: &World, edit: &MarkEdit) {
    let once = w.once(&operator()).await;
    w.portal.mark_stack(&operator(), edit, &once).await.unwrap_or_else(|p| panic!("{edit:?}: {p:?}"));
}

fn not_offered(p: &Problem, stage: Option<Stage>) -> bool {
    matches!(p, Problem::StackNotOffered { stack, stage: s, .. } if stack == STACK && *s == stage)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_operators_decide_and_wrong_words_are_said() {
    each_database(async |store| {
        let w = World::new(store).await;
        successor(&w).await;
        let once = w.once(&operator()).await;
        for c in [lead(), auditor()] {
            let refused = w.portal.mark_stack(&c, &mark(StackState::Retired), &once).await;
            assert!(matches!(refused, Err(Problem::NotAllowed { .. })), "{refused:?}");
        }
        let wrong = |change: fn(&mut MarkEdit)| {
            let mut edit = mark(StackState::Deprecated);
            change(&mut edit);
            edit
        };
        let cases = [
            (wrong(|e| e.key = "nothing:1".into()), Problem::NotFound),
            (wrong(|e| e.successor = "nothing:1".into()), Problem::field("successor", ValueFault::Unknown)),
            (wrong(|e| e.successor = STACK.into()), Problem::field("successor", ValueFault::Unknown)),
            (
                wrong(|e| {
                    e.successor.clear();
                    e.note.clear();
                }),
                Problem::missing("note"),
            ),
        ];
        for (edit, problem) in cases {
            assert_eq!(w.portal.mark_stack(&operator(), &edit, &once).await, Err(problem), "{edit:?}");
        }
        w.portal.mark_stack(&operator(), &mark(StackState::Deprecated), &once).await.expect("decided");
        // The same form again is the first one.
        w.portal.mark_stack(&operator(), &mark(StackState::Retired), &once).await.expect("decided before");
        let marked =
            w.portal.stacks(&lead()).await.expect("the list").into_iter().find(|s| s.key == STACK).expect("it");
        assert_eq!(
            (marked.mark.state, marked.mark.stages.len()),
            (StackState::Deprecated, 0),
            "all stages are no limit"
        );
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'stack.mark'").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deprecated_stays_with_who_has_it_and_one_press_leads_on_and_back() {
    each_database(async |store| {
        let w = World::new(store).await;
        successor(&w).await;
        let app = w.create(&lead(), &new_app(MARK, "web")).await;
        w.settled(&app).await;
        assert_eq!(w.portal.stack_notice(&lead(), &app).await, Ok(None));
        decide(&w, &mark(StackState::Deprecated)).await;

        // Nothing new begins with it, and it is not offered for that.
        let offered = w.portal.new_app_options(&lead()).await.expect("the options").stacks;
        assert_eq!(offered.iter().map(|s| s.key.as_str()).collect::<Vec<_>>(), [NEXT]);
        let once = w.once(&lead()).await;
        let refused = w.portal.create_app(&lead(), &new_app(MARK, "other"), &once).await.expect_err("refused");
        assert!(not_offered(&refused, None), "{refused:?}");
        assert_eq!(refused.about_field(), Some("stack"));

        // Who runs on it is told, and only he.
        let told = w.portal.stack_notice(&lead(), &app).await.expect("an answer").expect("a notice");
        assert_eq!((told.key.as_str(), told.mark.successor.as_str()), (STACK, NEXT));
        assert!(told.may && told.successor_there && told.mark.note == "no more fixes");
        assert_eq!(w.portal.stack_notice(&stranger(), &app).await, Err(Problem::NotFound));
        assert!(!w.portal.stack_notice(&auditor(), &app).await.expect("an answer").expect("a notice").may);

        // It goes on with it: a restart, another package.
        let seen = w.revision(&app).await;
        let once = w.once(&lead()).await;
        w.portal.restart(&lead(), &app, seen, &once).await.expect("restarted");
        w.settled(&app).await;
        // And moves on with one press, as a release like any other, and back.
        let release = NewRelease { stack: Some(NEXT.into()), ..NewRelease::default() };
        let (seen, once) = (w.revision(&app).await, w.once(&lead()).await);
        let number = w.portal.release(&lead(), &app, &release, seen, &once).await.expect("moved");
        w.settled(&app).await;
        assert_eq!(w.portal.stack_notice(&lead(), &app).await, Ok(None));
        let (seen, once) = (w.revision(&app).await, w.once(&lead()).await);
        w.portal.roll_back(&lead(), &app, number - 1, seen, &once).await.expect("back");
        w.settled(&app).await;
        assert!(w.portal.stack_notice(&lead(), &app).await.expect("an answer").is_some());

        // Retired: not even back.
        let (seen, once) = (w.revision(&app).await, w.once(&lead()).await);
        let number = w.portal.release(&lead(), &app, &release, seen, &once).await.expect("moved");
        w.settled(&app).await;
        decide(&w, &mark(StackState::Retired)).await;
        let (seen, once) = (w.revision(&app).await, w.once(&lead()).await);
        let refused = w.portal.roll_back(&lead(), &app, number - 1, seen, &once).await.expect_err("refused");
        assert!(not_offered(&refused, None), "{refused:?}");
        // The decision can be taken back.
        decide(&w, &mark(StackState::Standard)).await;
        w.portal.roll_back(&lead(), &app, number - 1, seen, &once).await.expect("back");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_for_some_stages_is_refused_in_others() {
    each_database(async |store| {
        let w = World::new(store).await;
        successor(&w).await;
        // The world's pools are for development.
        decide(&w, &MarkEdit { stages: vec![Stage::Prod, Stage::Test, Stage::Prod], ..mark(StackState::Standard) })
            .await;
        let once = w.once(&lead()).await;
        let refused = w.portal.create_app(&lead(), &new_app(MARK, "web"), &once).await.expect_err("refused");
        assert!(not_offered(&refused, Some(Stage::Dev)), "{refused:?}");
        assert!(w.portal.check_new_app(&lead(), &new_app(MARK, "web")).await.expect("checked").contains(&refused));
        decide(&w, &MarkEdit { stages: vec![Stage::Dev], ..mark(StackState::Standard) }).await;
        w.portal.create_app(&lead(), &new_app(MARK, "web"), &once).await.expect("online");
    })
    .await;
}
