//! Figures from `show stat`.
//!
//! A worker counts from its own start, and a reload starts a new one: what the old
//! worker counted is remembered when it is gone, else every reload would set the
//! totals back to zero.

use std::collections::{HashMap, HashSet};

/// One line of `show stat`: a member, or a service as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// `BACKEND` for the service as a whole.
    pub server: String,
    pub backend: String,
    pub status: String,
    pub address: String,
    pub weight: u32,
    pub sessions: u64,
    pub rate: u64,
    pub counts: Counts,
    pub check: String,
}

/// What is added up over workers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub requests: u64,
    pub failed: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, o: Self) {
        self.requests += o.requests;
        self.failed += o.failed;
    }
}

impl Row {
    /// The service as a whole.
    pub fn is_total(&self) -> bool {
        self.server == "BACKEND"
    }
}

/// The fields of one CSV line; quotes as in RFC 4180.
fn fields(line: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                if let Some(last) = out.last_mut() {
                    last.push('"');
                }
            }
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(String::new()),
            c => {
                if let Some(last) = out.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    out
}

/// All rows. Columns are found by name: their order changes between versions.
pub(super) fn parse(text: &str) -> Vec<Row> {
    let mut lines = text.lines().filter(|l| !l.is_empty());
    let Some(head) = lines.next() else { return Vec::new() };
    let columns: HashMap<String, usize> =
        fields(head.trim_start_matches("# ")).into_iter().enumerate().map(|(i, name)| (name, i)).collect();
    lines.map(|line| row(&columns, &fields(line))).collect()
}

fn row(columns: &HashMap<String, usize>, values: &[String]) -> Row {
    let text = |name: &str| columns.get(name).and_then(|i| values.get(*i)).map_or("", String::as_str);
    let number = |name: &str| text(name).parse::<u64>().unwrap_or(0);
    let mut row = Row {
        server: text("svname").to_owned(),
        backend: text("pxname").to_owned(),
        status: text("status").to_owned(),
        address: text("addr").to_owned(),
        weight: u32::try_from(number("weight")).unwrap_or(0),
        sessions: number("scur"),
        rate: number("rate"),
        counts: Counts { requests: number("stot"), failed: number("hrsp_5xx") },
        check: check(text("check_status"), text("check_code"), text("check_duration"), text("last_chk")),
    };
    if !row.is_total() {
        // The service's own 5xx include the answer that a visitor got in their place.
        row.counts.failed += number("econ") + number("eresp");
    }
    row
}

/// `L7OK/200 in 1ms`, as HAProxy's own page words it, with the last text for what failed.
fn check(status: &str, code: &str, duration: &str, last: &str) -> String {
    let mut out = status.trim_start_matches("* ").to_owned();
    if !code.is_empty() && code != "0" {
        out.push('/');
        out.push_str(code);
    }
    if !duration.is_empty() {
        out.push_str(&format!(" in {duration}ms"));
    }
    if !last.is_empty() && !status.ends_with("OK") {
        out.push_str(&format!(" ({last})"));
    }
    out
}

/// Totals over all workers, those that are gone included.
#[derive(Debug, Default)]
pub(super) struct Totals {
    gone: HashMap<(String, String), Counts>,
    last: HashMap<u32, HashMap<(String, String), Counts>>,
}

impl Totals {
    /// Takes in what a worker says now.
    pub fn saw(&mut self, pid: u32, rows: &[Row]) {
        let seen = self.last.entry(pid).or_default();
        for row in rows {
            seen.insert((row.backend.clone(), row.server.clone()), row.counts);
        }
    }

    /// Keeps what workers that no longer exist have counted.
    pub fn alive(&mut self, pids: &HashSet<u32>) {
        let dead: Vec<u32> = self.last.keys().copied().filter(|p| !pids.contains(p)).collect();
        for (key, counts) in dead.iter().filter_map(|pid| self.last.remove(pid)).flatten() {
            *self.gone.entry(key).or_default() += counts;
        }
    }

    /// The sum.
    pub fn of(&self, backend: &str, server: &str) -> Counts {
        let key = (backend.to_owned(), server.to_owned());
        let mut sum = self.gone.get(&key).copied().unwrap_or_default();
        for counts in self.last.values().filter_map(|seen| seen.get(&key)) {
            sum += *counts;
        }
        sum
    }

    /// Forgets a member, or with `None` a whole service.
    pub fn forget(&mut self, backend: &str, server: Option<&str>) {
        let keep = |(b, s): &(String, String)| b != backend || server.is_some_and(|wanted| s != wanted);
        self.gone.retain(|key, _| keep(key));
        for seen in self.last.values_mut() {
            seen.retain(|key, _| keep(key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# pxname,svname,scur,stot,econ,eresp,status,weight,rate,check_status,check_code,check_duration,hrsp_5xx,last_chk,addr,";

    #[test]
    fn reads_rows_with_quotes() {
        let text = format!(
            "{HEAD}\ns.a,m1,2,90,1,2,DOWN 1/2,100,7,L7STS,500,3,4,\"a \"\"quoted\"\", text\",10.0.0.1:80,\ns.a,BACKEND,2,95,1,2,UP,100,9,,,,5,,,\n"
        );
        let rows = parse(&text);
        assert_eq!(rows[0].check, "L7STS/500 in 3ms (a \"quoted\", text)");
        assert_eq!(rows[0].counts, Counts { requests: 90, failed: 7 });
        assert_eq!((rows[0].sessions, rows[0].weight, rows[0].address.as_str()), (2, 100, "10.0.0.1:80"));
        assert_eq!(rows[1].counts, Counts { requests: 95, failed: 5 });
        assert!(rows[1].is_total());
    }

    #[test]
    fn totals_survive_the_worker_that_counted_them() {
        let row = |requests| Row {
            server: "m1".into(),
            backend: "s.a".into(),
            counts: Counts { requests, failed: 1 },
            ..Row::default()
        };
        let mut t = Totals::default();
        t.saw(1, &[row(10)]);
        t.saw(1, &[row(12)]);
        t.saw(2, &[row(5)]);
        assert_eq!(t.of("s.a", "m1"), Counts { requests: 17, failed: 2 });
        t.alive(&HashSet::from([2]));
        t.alive(&HashSet::from([2]));
        assert_eq!(t.of("s.a", "m1"), Counts { requests: 17, failed: 2 });
        t.forget("s.a", Some("m1"));
        assert_eq!(t.of("s.a", "m1"), Counts::default());
    }
}
