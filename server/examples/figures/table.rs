//! The table, and medians.

/// Rows as they will be printed.
#[derive(Default)]
pub struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    /// Adds a row; `ok` is `None` where there is nothing to reach.
    pub fn row(&mut self, what: &str, reach: &str, found: String, ok: Option<bool>) {
        let mark = match ok {
            Some(true) => "reached",
            Some(false) => "MISSED",
            None => "",
        };
        println!("  {what}: {found} {mark}");
        self.rows.push([what.into(), reach.into(), found, mark.into()]);
    }

    /// Prints all rows.
    pub fn print(&self) {
        let head = ["what", "to reach", "measured", ""].map(str::to_owned);
        let all: Vec<&[String; 4]> = std::iter::once(&head).chain(&self.rows).collect();
        let width = |c: usize| all.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2), width(3)];
        println!();
        for r in all {
            let cells: Vec<String> =
                r.iter().zip(widths).map(|(s, w)| format!("{s}{}", " ".repeat(w - s.chars().count()))).collect();
            println!("| {} |", cells.join(" | "));
        }
    }
}

/// Median and 99th percentile; `None` for no values.
pub fn median_p99(values: &[f64]) -> Option<(f64, f64)> {
    let mut v = values.to_vec();
    v.sort_by(f64::total_cmp);
    let at = |q: f64| v.get(((v.len() as f64 * q).ceil() as usize).clamp(1, v.len()) - 1).copied();
    Some((at(0.5)?, at(0.99)?))
}
