//! What is inside an image. Only the server says these words, as with [`super::images`].

use super::{Texts, units};
use padis_domain::view::{InsideNote, PackageOrigin, Severity};

area! {
    /// What is inside an image.
    Inside {
        title: "内含内容", "What is inside";
        aside: "软件包和文件", "packages and files";
        unknown: "还没有读取过", "It has not been read yet";
        unknown_text: "读取后会显示软件包、文件和已知漏洞；标准中间件和正在运行的镜像会自动读取。", "Once it has been read, its packages, files and known vulnerabilities stand here. Standard middleware and what runs are read by themselves.";
        look: "读取内容", "Look inside";
        look_again: "重新读取", "Look inside again";
        look_done: "已提交，正在读取", "It is being read";
        may_not: "可以由平台管理员读取；团队自己的镜像由其成员读取。", "An operator can have it read; a team's own image its members.";
        waiting: "等待读取", "Waits to be read";
        reading: "正在读取各层", "Its layers are being read";
        held: "暂时无法继续，会自动重试。", "It does not go on for now, and is tried again by itself.";
        failed: "无法读取内容", "What is inside can't be read";
        system: "系统", "System";
        system_unknown: "未说明", "it does not say";
        packages: "软件包", "Packages";
        no_packages: "没有已知格式的软件包", "no packages of a known kind";
        files: "文件", "Files";
        read_at: "读取于", "Read";
        bill: "软件物料清单（CycloneDX JSON）", "Software bill of materials (CycloneDX JSON)";
        package: "软件包", "Package";
        version: "版本", "Version";
        kind: "类型", "Kind";
        license: "许可证", "License";
        written: "记录于", "Written in";
        package_filter: "名称、版本或许可证", "Name, version or license";
        file_filter: "路径中的文字，例如 nginx.conf", "Words of a path, such as nginx.conf";
        find: "查找", "Find";
        clear: "清除", "Clear";
        none_found: "没有符合条件的内容", "Nothing matches";
        first(shown: &str, all: &str): "显示前 {shown} 个，共 {all} 个", "the first {shown} of {all}";
        path: "路径", "Path";
        size: "大小", "Size";
        layer: "层", "Layer";
        left_out: "未包含的内容", "What was left out";
        unlisted(n: &str): "文件过多，有 {n} 个没有列出。", "There are too many files: {n} are not listed.";
        climbing(n: &str): "有 {n} 个路径指向镜像之外，已忽略。", "{n} paths lead out of the image and were left out.";
        unopened(n: &str): "有 {n} 个归档或数据库无法打开，或者过大、嵌套过深。", "{n} archives or databases can't be opened, or are too large or too deep.";
        old_rpm: "镜像中的 rpm 数据库为旧格式，没有读取。", "Its rpm database is of an older form, which is not read.";
        packages_cut: "软件包过多，只保留了一部分。", "There are more packages than are kept.";
        vulnerabilities: "漏洞", "Vulnerabilities";
        vulnerabilities_aside: "按严重程度排列", "the worst first";
        no_feed: "未配置漏洞数据", "No vulnerability feed is configured";
        no_feed_text: "在配置 vulnerabilities.feed 中指定 OSV 格式的文件或文件夹后，这里会显示已知漏洞。", "Once the setting vulnerabilities.feed names a file or folder in OSV's form, known vulnerabilities stand here.";
        feed(n: &str): "漏洞数据含 {n} 条", "The feed has {n} entries";
        feed_read: "读取于", "read";
        feed_fault: "漏洞数据无法读取，沿用此前的数据。", "The vulnerability feed could not be read; what was known before holds.";
        clean: "没有已知漏洞", "No known vulnerability";
        clean_text: "漏洞数据中没有与这些软件包相符的条目。", "No entry of the feed is about these packages.";
        vulnerability: "漏洞", "Vulnerability";
        severity: "严重程度", "Severity";
        score(score: &str): "评分 {score}", "score {score}";
        fixed: "已修复的版本", "Mended in";
        unfixed: "尚无", "none yet";
        lead: "正在运行的应用中的已知漏洞，按严重程度排列。", "Known vulnerabilities of what runs, the worst first.";
        filter: "漏洞编号、软件包或应用", "Id, package or application";
        apps: "受影响的应用", "Applications that have it";
        more(n: &str): "另有 {n} 个软件包", "and {n} more packages";
        unread: "以下应用的镜像还没有读取，或者无法读取：", "Of these applications the image has not been read, or could not be:";
    }
}

impl Texts {
    /// The words about what is inside an image.
    pub fn inside(&self) -> &'static Inside {
        static ZH: Inside = Inside::ZH;
        static EN: Inside = Inside::EN;
        self.pick(&ZH, &EN)
    }

    /// The kind of a package; its technical word stands beside it.
    pub fn package_origin(&self, o: PackageOrigin) -> &'static str {
        match o {
            PackageOrigin::Dpkg => "Debian (dpkg)",
            PackageOrigin::Apk => "Alpine (apk)",
            PackageOrigin::Rpm => "RPM",
            PackageOrigin::Jar => self.pick("Java 库 (jar)", "Java library (jar)"),
        }
    }

    /// How bad.
    pub fn severity(&self, s: Severity) -> &'static str {
        match s {
            Severity::Unknown => self.pick("未评级", "Not rated"),
            Severity::Low => self.pick("低", "Low"),
            Severity::Medium => self.pick("中", "Medium"),
            Severity::High => self.pick("高", "High"),
            Severity::Critical => self.pick("严重", "Critical"),
        }
    }

    /// What was left out, as a sentence.
    pub fn inside_note(&self, n: InsideNote) -> String {
        let i = self.inside();
        match n {
            InsideNote::Unlisted(n) => (i.unlisted)(&units::count(n)),
            InsideNote::Climbing(n) => (i.climbing)(&units::count(n)),
            InsideNote::Unread(n) => (i.unopened)(&units::count(n)),
            InsideNote::OldRpm => i.old_rpm.to_owned(),
            InsideNote::PackagesCut => i.packages_cut.to_owned(),
        }
    }
}
