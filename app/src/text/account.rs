//! Sign-in and account.

area! {
    /// Sign-in and account.
    Account {
        sign_in_title: "登录 Padis", "Sign in to Padis";
        sign_in_lead: "使用员工账号", "With your staff account";
        account: "账号", "Account";
        password: "密码", "Password";
        sign_in: "登录", "Sign in";
        locked_out: "无法登录？请联系平台管理员。", "Locked out? Ask an operator of the platform.";
        signed_out: "您已退出登录。", "You are signed out.";
        tagline: "上传应用包，一分钟后上线。", "Upload a package, be online a minute later.";
        directory_down: "员工目录暂时没有应答，内置账号仍可登录。", "The staff directory does not answer at the moment. Built-in accounts still work.";
        lead: "您的角色、登录会话与密码。", "Your roles, sessions and password.";
        who: "身份", "Who you are";
        display_name: "姓名", "Name";
        teams: "团队", "Teams";
        no_teams: "您还不属于任何团队，请联系平台管理员。", "You belong to no team yet. Ask an operator to add you.";
        platform_role: "平台角色", "Platform role";
        none: "无", "none";
        sessions: "登录会话", "Sessions";
        sessions_lead: "不认识的会话请立即结束。", "End any that you do not know.";
        this_one: "当前会话", "this one";
        from: "来源地址", "From";
        browser: "浏览器", "Browser";
        began: "登录时间", "Signed in";
        seen: "最近使用", "Last used";
        end: "结束", "End";
        end_of(agent: &str, address: &str): "结束 {address} 上的 {agent}", "End {agent} at {address}";
        change_password: "修改密码", "Change the password";
        old_password: "当前密码", "Present password";
        new_password: "新密码", "New password";
        new_hint: "至少 10 个字符", "At least 10 characters";
        password_lead: "修改后，您在其他地方的会话将全部结束。仅适用于内置账号。", "Ends your other sessions. For built-in accounts only; staff accounts change theirs in the directory.";
        password_changed: "密码已修改，其他会话已结束。", "The password is changed and your other sessions have ended.";
        session_ended: "会话已结束。", "The session has ended.";
        preferences: "阅读偏好", "How you read";
    }
}
