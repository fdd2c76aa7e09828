//! The list of every server function, for tests that try each as a stranger, as
//! a member of another team and as an auditor. A test keeps it equal to what is
//! registered, so that a new function can't be forgotten.

/// What a server function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Reads, by GET.
    Read,
    /// Reads, by POST, because the form around its arguments holds secrets.
    Check,
    /// Changes something, by POST.
    Change,
}

/// Whom a server function may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Anybody, signed in or not.
    Anybody,
    /// Anybody who is signed in; the answer is his own.
    Own,
    /// Those who may see the team's thing that is asked for.
    Look,
    /// Those who may change the team's applications.
    Run,
    /// Operators and auditors.
    Inspect,
    /// Operators and middleware engineers.
    Publish,
    /// Operators.
    Operate,
}

/// Every server function: endpoint below `/api/`, what it does, whom it answers.
pub const ENDPOINTS: &[(&str, Kind, Class)] = &[
    ("me", Kind::Read, Class::Anybody),
    ("overview", Kind::Read, Class::Own),
    ("search", Kind::Read, Class::Own),
    ("once", Kind::Read, Class::Own),
    ("kept", Kind::Read, Class::Own),
    ("apps", Kind::Read, Class::Own),
    ("app", Kind::Read, Class::Look),
    ("releases", Kind::Read, Class::Look),
    ("delivery", Kind::Read, Class::Look),
    ("timeline", Kind::Read, Class::Look),
    ("claims", Kind::Read, Class::Look),
    ("log_sources", Kind::Read, Class::Look),
    ("log", Kind::Read, Class::Look),
    ("charts", Kind::Read, Class::Look),
    ("new_app_options", Kind::Read, Class::Own),
    ("check_new_app", Kind::Check, Class::Run),
    ("copy_environment", Kind::Check, Class::Run),
    ("create_app", Kind::Change, Class::Run),
    ("release_app", Kind::Change, Class::Run),
    ("try_health", Kind::Check, Class::Run),
    ("roll_back", Kind::Change, Class::Run),
    ("scale", Kind::Change, Class::Run),
    ("restart", Kind::Change, Class::Run),
    ("retry", Kind::Change, Class::Run),
    ("stop", Kind::Change, Class::Run),
    ("start", Kind::Change, Class::Run),
    ("delete_app", Kind::Change, Class::Run),
    ("packages", Kind::Read, Class::Own),
    ("package", Kind::Read, Class::Look),
    ("delete_package", Kind::Change, Class::Run),
    ("stacks", Kind::Read, Class::Own),
    ("mark_stack", Kind::Change, Class::Publish),
    ("copy_image", Kind::Change, Class::Publish),
    ("cancel_copy", Kind::Change, Class::Publish),
    ("look_inside", Kind::Change, Class::Run),
    ("look_at_registries", Kind::Change, Class::Publish),
    ("promote", Kind::Change, Class::Run),
    ("apply_retention", Kind::Change, Class::Run),
    ("keep_rule", Kind::Change, Class::Run),
    ("end_rule", Kind::Change, Class::Run),
    ("delete_version", Kind::Change, Class::Run),
    ("collect_registry", Kind::Change, Class::Operate),
    ("cancel_collection", Kind::Change, Class::Operate),
    ("judge_promotion", Kind::Change, Class::Publish),
    ("withdraw_promotion", Kind::Change, Class::Run),
    ("roll_back_promotion", Kind::Change, Class::Publish),
    ("pools", Kind::Read, Class::Own),
    ("pool", Kind::Read, Class::Look),
    ("put_pool", Kind::Change, Class::Operate),
    ("delete_pool", Kind::Change, Class::Operate),
    ("put_quota", Kind::Change, Class::Operate),
    ("host_out", Kind::Change, Class::Operate),
    ("host_back", Kind::Change, Class::Operate),
    ("addresses", Kind::Read, Class::Look),
    ("address_block", Kind::Read, Class::Look),
    ("reserve", Kind::Change, Class::Operate),
    ("unreserve", Kind::Change, Class::Operate),
    ("names", Kind::Read, Class::Own),
    ("balancer", Kind::Read, Class::Own),
    ("balancer_page", Kind::Read, Class::Own),
    ("work", Kind::Read, Class::Inspect),
    ("work_retry", Kind::Change, Class::Operate),
    ("work_park", Kind::Change, Class::Operate),
    ("look_again", Kind::Change, Class::Operate),
    ("start_bench", Kind::Change, Class::Own),
    ("end_bench", Kind::Change, Class::Own),
    ("commit_bench", Kind::Change, Class::Own),
    ("start_recipe", Kind::Change, Class::Own),
    ("end_recipe", Kind::Change, Class::Own),
    ("cancel_build", Kind::Change, Class::Own),
    ("cancel_archive", Kind::Change, Class::Run),
    ("journal", Kind::Read, Class::Inspect),
    ("systems", Kind::Read, Class::Inspect),
    ("written", Kind::Read, Class::Own),
    ("teams", Kind::Read, Class::Own),
    ("put_team", Kind::Change, Class::Operate),
    ("delete_team", Kind::Change, Class::Operate),
    ("people", Kind::Read, Class::Inspect),
    ("put_person", Kind::Change, Class::Operate),
    ("change_password", Kind::Change, Class::Own),
    ("sessions", Kind::Read, Class::Own),
    ("revoke_session", Kind::Change, Class::Own),
];

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_list_holds_every_registered_function_and_no_other() {
        let registered: BTreeSet<(String, String)> = leptos::server_fn::axum::server_fn_paths()
            .map(|(path, method)| (path.trim_start_matches("/api/").to_owned(), method.to_string()))
            .collect();
        let method = |k: Kind| if k == Kind::Read { "GET" } else { "POST" };
        let listed = ENDPOINTS.iter().map(|(p, k, _)| ((*p).to_owned(), method(*k).to_owned())).collect();
        assert_eq!(registered, listed);
    }
}
