//! Server time of the pages with a full house.

use super::Outcome;
use super::portal::Portal;
use super::table::{Table, median_p99};
use padis_server::store::Store;

const ROUNDS: usize = 200;

/// Measures.
pub async fn measure(p: &Portal, t: &mut Table) -> Outcome<()> {
    // One real application to copy the rest from.
    let package = super::delivery::upload_site(p, "pages").await?;
    p.go_online("original", &package, 1).await?;
    p.until("the original answers", 60, async |p| Ok(p.answers("original").await)).await?;
    let store = Store::open(&format!("sqlite:{}", p.data.join("padis.db").display())).await?;
    fill(&store).await?;
    for (what, path) in [
        ("applications list of 2,000", "/applications"),
        ("  filtered and sorted", "/applications?q=app-1&sort=name&desc=true&page=3"),
        ("application", "/applications/default/app-17"),
        ("addresses of a /20", "/addresses/bench-wide"),
    ] {
        let mut ms = Vec::new();
        for _ in 0..ROUNDS {
            let a = p.get(path).await?;
            let status = a.status();
            let timing = server_ms(&a);
            a.bytes().await?;
            let Some(dur) = timing.filter(|_| status.is_success()) else {
                return Err(format!("{path}: {status}, Server-Timing: {timing:?}").into());
            };
            ms.push(dur);
        }
        let (m, p99) = median_p99(&ms).ok_or("no rounds")?;
        t.row(&format!("page: {what}"), "p99 ≤ 50 ms", format!("median {m:.1} ms, p99 {p99:.1} ms"), Some(p99 <= 50.0));
    }
    store.close().await;
    p.delete("original").await
}

/// The server's own time of an answer in ms, as it says itself.
pub fn server_ms(a: &reqwest::Response) -> Option<f64> {
    let timing = a.headers().get("server-timing")?.to_str().ok()?;
    timing.split(';').find_map(|x| x.trim().strip_prefix("dur="))?.split(',').next()?.parse().ok()
}

/// 2,000 stopped applications with releases, and a /20 with a thousand addresses in use.
async fn fill(store: &Store) -> Outcome<()> {
    let mut tx = store.begin().await?;
    for sql in [
        "INSERT INTO pool (name, stage, zone, hosts, subnet, base, prefix, gateway, vlan, domain, ttl_s, quarantine_s, revision, changed_at, changed_by) \
         VALUES ('bench-wide', 'dev', 'SF', '{\"bench\":\"no\"}', '10.64.0.0/20', 171966464, 20, '10.64.0.1', NULL, 'wide.padis.localhost', 5, 60, 1, 0, '') ON CONFLICT DO NOTHING",
        "INSERT INTO release (app_id, number, spec, contract, stack_key, package, package_kind, package_name, cause, changes, state, at, by_name) \
         SELECT 'bench-' || CAST(n AS TEXT), 1, s.spec, s.contract, s.stack_key, s.package, s.package_kind, s.package_name, 'create', '[]', 'retired', 1, 'bench' \
         FROM number, (SELECT * FROM release ORDER BY at DESC LIMIT 1) s WHERE n < 2000 ON CONFLICT DO NOTHING",
        "INSERT INTO app (id, team, name, title, pool, host_name, wanted, instances, release, cpu_milli, mem_mib, state, well, revision, created_at, changed_at, changed_by) \
         SELECT 'bench-' || CAST(n AS TEXT), 'default', 'app-' || CAST(n AS TEXT), 'Application ' || CAST(n AS TEXT), 'sf-dev', 'app-' || CAST(n AS TEXT) || '.bench', \
         'stopped', 1 + n % 4, 1, 100, 64, 'stopped', 0, 1, n, n, 'bench' FROM number WHERE n < 2000 ON CONFLICT DO NOTHING",
        "INSERT INTO claim (id, kind, app_id, team, app, release, slot, task_id, pool, address, what, state, reason, since) \
         SELECT 'bench-' || CAST(n AS TEXT), 'address', 'bench-' || CAST(n AS TEXT), 'default', 'app-' || CAST(n AS TEXT), 1, 0, 'bench-' || CAST(n AS TEXT), 'bench-wide', \
         171966464 + 2 + n, '', 'held', '', 1 FROM number WHERE n < 1000 ON CONFLICT DO NOTHING",
    ] {
        sqlx::query(sql).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    let releases: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM release WHERE app_id LIKE 'bench-%'").fetch_one(store.read()).await?;
    if releases < 2000 {
        return Err("the applications for the list could not be made".into());
    }
    Ok(())
}
