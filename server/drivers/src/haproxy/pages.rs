//! What a visitor sees when there is nothing to pass on: short, in both languages,
//! without any detail of the inside.

fn html(title: &str, zh: &str, en: &str, reload: bool) -> String {
    let refresh = if reload { "<meta http-equiv=\"refresh\" content=\"3\">" } else { "" };
    format!(
        "<!doctype html><html lang=\"zh\"><head><meta charset=\"utf-8\">{refresh}\
<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
<style>:root{{color-scheme:light dark}}body{{font:16px/1.6 system-ui,sans-serif;display:grid;place-items:center;\
min-height:90vh;margin:0 1rem}}main{{max-width:32rem}}h1{{font-size:1.25rem}}</style></head>\
<body><main><h1>{title}</h1><p>{zh}</p><p lang=\"en\">{en}</p></main></body></html>\n"
    )
}

/// The page for a host name that no application has.
pub(super) fn unknown_host() -> String {
    html(
        "404",
        "这个域名下没有应用。请检查地址是否写对，或者应用是否已经上线。",
        "There is no application at this name. Check the address, or whether the application is online.",
        false,
    )
}

/// A whole HTTP response for HAProxy's `errorfile`.
fn response(status: &str, page: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\
Retry-After: 3\r\nContent-Length: {}\r\n\r\n{page}",
        page.len()
    )
}

/// File name, status that it is for, content.
pub(super) fn error_files() -> Vec<(&'static str, u16, String)> {
    let none = html(
        "503",
        "应用暂时没有可用的实例，正在恢复。本页会自动刷新。",
        "The application has no instance that can answer right now. This page reloads itself.",
        true,
    );
    let broken = html(
        "502",
        "应用没有给出完整的回答。请稍后再试。",
        "The application did not give a complete answer. Please try again in a moment.",
        false,
    );
    let slow = html(
        "504",
        "应用没有在规定的时间内回答。请稍后再试。",
        "The application did not answer in time. Please try again in a moment.",
        false,
    );
    vec![
        ("503.http", 503, response("503 Service Unavailable", &none)),
        ("502.http", 502, response("502 Bad Gateway", &broken)),
        ("504.http", 504, response("504 Gateway Timeout", &slow)),
    ]
}
