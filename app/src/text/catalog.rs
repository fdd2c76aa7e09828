//! Middleware, packages, search.

area! {
    /// Middleware, packages, search.
    Catalog {
        stacks_lead: "应用包运行所需的标准环境。每个版本都说明它接收什么、需要什么。", "The standard environments that packages run on. Each says what it takes and what it needs.";
        takes: "接收", "Takes";
        takes_file: "应用包原样放入", "The file is put in as it is";
        takes_tree: "应用包解压后放入", "The package is put in unpacked";
        starts: "启动", "Starts";
        starts_in(s: u32): "通常 {s} 秒内应答", "usually answers within {s} s";
        needs: "需要", "Needs";
        needs_mem(m: &str): "至少 {m} 内存", "at least {m} of memory";
        health: "健康检查", "Health page";
        size: "大小", "Size";
        built: "构建于", "Built";
        port: "端口", "Port";
        path: "应用包位置", "Package goes to";
        logs: "日志位置", "Logs go to";
        user: "运行身份", "Runs as";
        image: "镜像", "Image";
        used_none: "还没有应用使用它", "No application uses it yet";
        tech_hidden: "打开“显示技术名称”可查看镜像、端口和路径。", "Switch on “Show technical names” to see image, port and paths.";
        use_it: "用它新建应用", "New application with it";
        stacks_none: "还没有中间件", "There is no middleware yet";
        stacks_none_text: "平台管理员在 Padis 的主机上运行 make stacks，镜像进入仓库后会出现在这里。", "An operator runs “make stacks” on Padis's machine; what is then in the registry stands here.";
        packages_lead: "团队上传的应用包。内容相同的只保存一次，版本使用它期间不会消失。", "What teams have uploaded. Equal content is kept once, and stays as long as a release uses it.";
        package: "应用包", "Package";
        kind: "类型", "Kind";
        version: "版本号", "Version";
        by: "上传人", "Uploaded by";
        uploaded: "上传时间", "Uploaded";
        in_use: "使用中", "In use";
        unused: "未使用", "not in use";
        packages_filter: "按文件名、团队或校验值筛选", "Filter by file, team or checksum";
        packages_none: "还没有应用包", "There is no package yet";
        packages_none_text: "上传构建产出的 .war、.jar、.zip 或 .tar.gz，之后即可用它上线。", "Upload the .war, .jar, .zip or .tar.gz that your build produced, and go online with it.";
        packages_no_hit: "没有符合条件的应用包", "No package matches";
        upload: "上传应用包", "Upload a package";
        upload_hint: "只检查内容，不看文件名。", "It is checked by its content, not by its name.";
        upload_file: "文件", "File";
        upload_go: "上传", "Upload";
        uploaded_done: "应用包已上传。", "The package is uploaded.";
        inside: "包内内容", "What is inside";
        files: "文件数", "Files";
        unpacked: "解压后", "Unpacked";
        java: "Java", "Java";
        java_from(v: u16): "{v} 或更高", "{v} or newer";
        servlets: "Servlet", "Servlets";
        javax: "javax，需要 Tomcat 9 或更早", "javax: needs Tomcat 9 or older";
        jakarta: "jakarta，需要 Tomcat 10 或更高", "jakarta: needs Tomcat 10 or newer";
        built_with: "所用框架", "Built with";
        health_found: "发现的健康检查页", "Health page found";
        site_root: "网站位于", "Site stands in";
        site_top: "包的根目录", "the top of the archive";
        main_class: "启动类", "Starts";
        checksum: "校验值", "Checksum";
        not_known: "未说明", "not said";
        who_uses: "使用它的版本", "Releases that use it";
        nobody_uses: "没有版本使用它，可以删除。", "No release uses it; it can be deleted.";
        delete: "删除应用包", "Delete the package";
        delete_what: "文件会从存储中删除，不可恢复。", "The file is taken out of the store. It can't be undone.";
        delete_in_use: "仍有版本使用它，请先删除这些应用。", "Releases still use it. Delete those applications first.";
        deleted: "应用包已删除。", "The package is deleted.";
        read_only: "您的角色只能查看，不能修改。", "Your role may look at everything but change nothing.";
        new_with: "用它新建应用", "New application with it";
    }
}
