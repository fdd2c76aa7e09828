//! The list of applications.

area! {
    /// The list of applications.
    Apps {
        lead(n: &str): "共 {n}。", "{n} that you may see.";
        new: "新建应用", "New application";
        search: "名称、域名或团队", "Name, domain or team";
        all_states: "全部状态", "All states";
        all_teams: "全部团队", "All teams";
        application: "应用", "Application";
        instances: "实例", "Instances";
        well_of(well: u32, wanted: u32): "{wanted} 个实例中 {well} 个正常", "{well} of {wanted} well";
        pool: "资源池", "Pool";
        stack: "中间件", "Middleware";
        size: "规格", "Size";
        release: "版本", "Release";
        changed: "最近变更", "Last change";
        none_title: "您的应用将显示在这里", "Your applications will be listed here";
        none_text: "请准备好构建产出的 .war、.jar 或 .zip，约需四分钟。", "Have the .war, .jar or .zip of your build at hand. It takes about four minutes.";
        no_match_title: "没有符合条件的应用", "No application matches";
        no_match_text: "请放宽筛选条件。", "Take something out of the filter.";
        clear: "清除筛选", "Clear the filter";
        read_only: "您的角色只能查看。", "Your role may look but change nothing.";
    }
}
