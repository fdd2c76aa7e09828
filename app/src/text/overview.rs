//! The overview.

area! {
    /// The overview.
    Overview {
        lead_all(date: &str): "{date}。全部环境。", "{date}. All stages.";
        lead_stage(date: &str, stage: &str): "{date}。{stage}环境。", "{date}. Stage: {stage}.";
        attention: "需要立即处理", "Needs attention now";
        all_well: "一切正常", "Everything is well";
        all_well_text: "没有需要处理的事项。", "Nothing needs anybody's attention.";
        going: "运行情况", "How it is going";
        online_now: "当前在线", "Online now";
        of(n: usize): "/ {n}", "of {n}";
        each_square: "每格一个应用", "each square is an application";
        to_answer: "从上线到首次应答", "From Go online to first answer";
        middle: "中位数", "middle";
        deliveries_7d(n: &str, failed: u32): "7 天 {n}成功，{failed} 次未完成", "{n} came online in 7 days, {failed} did not";
        no_deliveries: "7 天内没有交付", "No delivery in 7 days";
        one_in_ten(t: &str): "；十分之一超过 {t}", "; one in ten took over {t}";
        answered_well: "正常应答的请求", "Requests answered well";
        failed_of(bad: &str, all: &str): "24 小时 {all} 次请求，失败 {bad} 次", "{bad} of {all} failed in 24 h";
        no_requests: "24 小时内没有请求", "No request in 24 h";
        healed: "自动恢复", "Healed without anybody";
        instances: "个实例", "instances";
        in_14_days: "14 天内自动替换的实例", "replaced by Padis in 14 days";
        days_ago_14: "14 天前", "14 days ago";
        today: "今天", "today";
        now: "现在", "now";
        hours_ago_24: "24 小时前", "24 h ago";
        deliveries: "交付", "Deliveries";
        release: "版本", "Release";
        took: "用时", "Took";
        free: "空闲", "Free";
        at_step(state: &str, step: &str): "{state}：{step}", "{state} at “{step}”";
        pool_cpu: "各资源池 CPU，紧张者在前", "CPU by pool, scarcest first";
        cpu_free(n: &str): "{n} CPU 空闲", "{n} CPU free";
        cpu_bar(pool: &str, used: &str, held: &str, total: &str): "{pool} CPU：已用 {used}，占用 {held}，共 {total}", "CPU of {pool}: {used} used, {held} held of {total}";
        first_title: "您的应用将显示在这里", "Your applications will be listed here";
        first_text: "请准备好构建产出的 .war、.jar 或 .zip，约需四分钟。", "Have the .war, .jar or .zip of your build at hand. It takes about four minutes.";
        first_step: "新建应用", "New application";
        degraded(app: &str, well: u32, wanted: u32): "{app}：{wanted} 个实例中 {well} 个正常", "{app}: {well} of {wanted} well";
        replaced(app: &str): "{app}：实例反复被替换", "{app}: an instance keeps being replaced";
        replaced_times(n: &str): "20 分钟内 {n}", "{n} in 20 minutes";
        writes(app: &str): "{app}：实例写满主机的磁盘", "{app}: an instance fills its host's disk";
        writes_text(bytes: &str, most: &str): "已在容器内写入 {bytes}，上限 {most}。日志请写到日志路径；重启会清除其余内容。", "It has written {bytes} of {most} into its own container. Logs belong into the log folder; a restart drops the rest.";
        delivery_waits(app: &str, r: u32, what: &str): "{app} r{r}：{what}", "{app} r{r}: {what}";
        pool_short(pool: &str, what: &str): "{pool}：{what}将用尽", "{pool} runs short of {what}";
        pool_left(free: &str, total: &str): "剩 {free}，共 {total}。请扩容，或将应用移到其他资源池。", "{free} of {total} left. Add hosts or addresses, or move applications to another pool.";
        host_lost(host: &str): "主机 {host} 失联", "Host {host} is not heard";
        host_lost_text: "该主机上的实例会在其他主机上重建，容量暂不计入。", "Its instances are replaced elsewhere; its capacity is left out of the figures.";
        system_down(s: &str): "没有应答：{s}", "No answer from {s}";
        system_down_text: "系统会自动重试，已记录的操作不会丢失。", "Padis tries again by itself; nothing that was recorded is lost.";
        work_parked(key: &str): "已搁置：{key}", "Parked: {key}";
        since(t: &str): "始于 {t}", "since {t}";
        read_log: "查看日志", "Read the log";
        see_delivery: "查看交付", "See the delivery";
        smaller_size: "换小规格", "Choose a smaller size";
        see_pool: "查看资源池", "See the pool";
        see_systems: "查看系统", "See the systems";
        see_work: "查看队列", "See the queue";
        squares(online: usize, other: usize): "{online} 个在线，{other} 个其他状态", "{online} online, {other} in another state";
        durations(n: &str): "{n}的用时分布", "How long {n} took";
        duration: "用时", "Duration";
        deliveries_n: "次数", "Deliveries";
        failed_half_hours: "每半小时失败的请求", "Failed requests per half hour";
        failed: "失败", "Failed";
        replaced_days: "每天替换的实例", "Instances replaced per day";
        day: "日期", "Day";
    }
}
