//! Teams, people, sessions, systems.

use super::area;

area! {
    /// Teams, people, sessions, systems.
    Admin {
        lead: "团队、人员、会话，以及 Padis 依赖的系统。", "Teams, people, sessions, and what stands behind Padis.";
        teams: "团队", "Teams";
        people: "人员", "People";
        sessions: "会话", "Sessions";
        systems: "依赖的系统", "Systems";
        team: "团队", "Team";
        members: "成员", "Members";
        groups: "目录组", "Directory groups";
        apps: "应用", "Applications";
        new_team: "新建团队", "New team";
        edit_team(name: &str): "修改 {name}", "Change {name}";
        slug: "标识", "Short name";
        slug_hint: "用于地址和域名：小写字母、数字和连字符；之后不可更改。", "Used in addresses and names: lower-case letters, digits and hyphens. It can't be changed later.";
        slug_fixed: "标识不可更改。", "The short name can't be changed.";
        team_title_hint: "团队在界面上的名称，例如“车险理赔”。", "What people call it, e.g. “Motor claims”.";
        member_groups: "成员所在的目录组", "Groups whose people are members";
        lead_groups: "负责人所在的目录组", "Groups whose people are leads";
        groups_hint: "每行一个完整 DN，例如 cn=motor,ou=groups,dc=example,dc=com。", "One distinguished name per line, e.g. cn=motor,ou=groups,dc=example,dc=com.";
        by_group: "来自目录", "by a group";
        teams_none: "还没有团队", "There is no team yet";
        teams_none_text: "团队拥有应用。先建一个，再把人员或目录组加进来。", "Teams own applications. Create one, then add people or directory groups.";
        team_saved: "团队已保存。", "The team is saved.";
        team_deleted: "团队已删除。", "The team is deleted.";
        delete_team: "删除团队", "Delete the team";
        delete_team_what(n: usize): "{n} 名成员会失去该团队的权限。不可恢复。", "{n} people lose what the team gave them. It can't be undone.";
        delete_team_in_use(n: u32): "它仍拥有 {n} 个应用，请先删除。", "It still owns {n} applications. Delete them first.";
        create_team: "创建团队", "Create the team";
        only_operator: "仅平台管理员可操作。", "Only an operator may do this.";
        person: "人员", "Person";
        account: "账号", "Account";
        origin: "来源", "From";
        built_in: "内置账号", "built-in account";
        directory: "员工目录", "staff directory";
        role: "平台角色", "Role on the platform";
        no_role: "无", "none";
        enabled: "可登录", "May sign in";
        disabled: "已停用", "Disabled";
        last_seen: "最近登录", "Last sign-in";
        never: "从未", "never";
        new_person: "新建账号", "New account";
        edit_person(name: &str): "修改 {name}", "Change {name}";
        account_hint: "登录时使用，小写；之后不可更改。", "Used to sign in, lower case. It can't be changed later.";
        person_name: "姓名", "Name";
        password: "密码", "Password";
        password_hint_new: "至少 10 个字符。请当面或通过安全渠道告知本人。", "At least 10 characters. Tell it to the person in a safe way.";
        password_hint_edit: "留空则不变；至少 10 个字符。更换后，该账号的其他会话会结束。", "Empty keeps it; at least 10 characters. A new one ends the account's other sessions.";
        enabled_hint: "停用后立即无法登录，已登录的会话也会结束。", "Without it the person can't sign in, and sessions end.";
        role_hint: "平台管理员可以修改一切；审计员只能查看。", "An operator may change everything; an auditor sees everything and changes nothing.";
        in_teams: "所属团队", "Teams";
        not_in: "不在其中", "not in it";
        from_directory: "该人员来自员工目录，团队由目录组决定。", "This person comes from the staff directory; teams follow from its groups.";
        person_saved: "账号已保存。", "The account is saved.";
        people_filter: "按姓名、账号或团队筛选", "Filter by name, account or team";
        people_none: "没有符合条件的人员", "Nobody matches";
        create_person: "创建账号", "Create the account";
        sessions_lead: "已登录的浏览器。结束后，对方需重新登录。", "Browsers that are signed in. Whoever's session ends must sign in again.";
        sessions_own: "您的会话。平台管理员可查看所有人的会话。", "Your own sessions. An operator sees everybody's.";
        from_address: "来源地址", "From address";
        browser: "浏览器", "Browser";
        began: "登录时间", "Signed in";
        used: "最近使用", "Last used";
        this_one: "当前会话", "this one";
        end: "结束", "End";
        end_own_why: "这是您当前的会话，请使用“退出登录”。", "This is the session you are using. Sign out instead.";
        ended: "会话已结束。", "The session has ended.";
        sessions_none: "没有会话", "No session";
        systems_lead: "Padis 通过这些系统工作。某个系统没有应答时，相关操作会等待并自动重试。", "Padis works through these. When one does not answer, what needs it waits and is tried again.";
        system: "系统", "System";
        up: "正常", "Answers";
        down: "没有应答", "Does not answer";
        for_long: "持续", "For";
        where_at: "位置", "Where";
        detail: "说明", "Details";
        systems_down(n: usize): "{n} 个系统没有应答。", "{n} systems do not answer.";
        systems_down_text: "已记录的操作不会丢失，恢复后会自动继续。", "Nothing that was recorded is lost; it goes on by itself when they are back.";
        systems_none: "还没有任何系统的状态", "Nothing is known of them yet";
    }
}
