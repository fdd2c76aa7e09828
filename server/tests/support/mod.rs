//! The databases that the store's and the portal's tests run on: a SQLite file
//! and a PostgreSQL of their own, a fresh database for every test.
//!
//! The PostgreSQL cluster is Debian's, made by the first test of the process
//! that asks for it, on a Unix socket in a folder of its own. One could get it
//! wrong at the end: a test process has no moment at which it ends in order, so
//! the cluster hangs on a pipe that the kernel closes with the process, however
//! that ends, and then stops and takes its folder away.

#![expect(clippy::expect_used, reason = "a test that has no database says so and ends")]

use padis_server::store::Store;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Where Debian puts the programs of PostgreSQL 15.
const BIN: &str = "/usr/lib/postgresql/15/bin";

/// `$1`: programs, `$2`: data folder, `$3`: socket folder. Ends with its standard input.
const KEEPER: &str = r#"
"$1/postgres" -D "$2" -k "$3" -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
    -c max_connections=400 -c shared_buffers=32MB -c logging_collector=off >"$3/log" 2>&1 </dev/null &
pid=$!
read -r _
kill -QUIT $pid
wait $pid
rm -rf "$3"
"#;

struct Cluster {
    socket: PathBuf,
    next: AtomicU32,
    // Its standard input is the pipe that the cluster hangs on.
    _keeper: Child,
}

/// A command as a user whom `initdb` accepts: it refuses root.
fn as_postgres(program: &str) -> Command {
    let root = std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0);
    if !root {
        return Command::new(program);
    }
    let mut c = Command::new("setpriv");
    c.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--", program]);
    c
}

fn run(mut c: Command) {
    let shown = format!("{c:?}");
    let out = c.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{shown}: {e}"));
    assert!(out.status.success(), "{shown}: {}", String::from_utf8_lossy(&out.stderr));
}

fn psql(socket: &Path, sql: &str) -> Result<(), String> {
    let out = Command::new(format!("{BIN}/psql"))
        .args(["-qX", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres", "-h"])
        .arg(socket)
        .args(["-c", sql])
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("psql: {e}"))?;
    if out.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&out.stderr).into_owned()) }
}

fn start() -> Cluster {
    assert!(
        Path::new(BIN).join("initdb").exists(),
        "the store's tests need PostgreSQL 15 in {BIN}: install Debian's package postgresql-15"
    );
    // The path of a Unix socket may have 107 characters: a short folder below /tmp.
    let socket = PathBuf::from(format!("/tmp/padis-pg-{}", std::process::id()));
    std::fs::create_dir(&socket).expect("a folder for the cluster");
    let root = std::fs::metadata(&socket).is_ok_and(|m| m.uid() == 0);
    if root {
        let mut chown = Command::new("chown");
        chown.arg("postgres:postgres").arg(&socket);
        run(chown);
    }
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o700))
        .expect("permissions of the cluster's folder");
    let data = socket.join("data");
    let mut initdb = as_postgres(&format!("{BIN}/initdb"));
    initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"]).arg(&data);
    initdb.current_dir("/");
    run(initdb);
    let mut keeper = as_postgres("sh");
    keeper.args(["-c", KEEPER, "sh", BIN]).arg(&data).arg(&socket).current_dir("/");
    let keeper =
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the cluster's keeper");
    let deadline = Instant::now() + Duration::from_secs(60);
    while let Err(e) = psql(&socket, "SELECT 1") {
        let log = std::fs::read_to_string(socket.join("log")).unwrap_or_default();
        assert!(Instant::now() < deadline, "PostgreSQL does not answer: {e}\n{log}");
        std::thread::sleep(Duration::from_millis(50));
    }
    Cluster { socket, next: AtomicU32::new(0), _keeper: keeper }
}

/// The address of a fresh PostgreSQL database, in a cluster that lives as long as this process.
pub fn postgres_url() -> String {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(start);
    let name = format!("t{}", cluster.next.fetch_add(1, Ordering::Relaxed));
    psql(&cluster.socket, &format!("CREATE DATABASE {name}")).expect("a fresh database");
    format!("postgres://postgres@localhost/{name}?host={}", cluster.socket.display())
}

/// Runs `test` on a fresh SQLite database and then on a fresh PostgreSQL database.
pub async fn each_database<F, T>(test: F)
where
    F: Fn(Store) -> T,
    T: Future<Output = ()>,
{
    let folder = tempfile::tempdir().expect("a folder for SQLite");
    let lite = format!("sqlite:{}", folder.path().join("padis.db").display());
    let post = tokio::task::spawn_blocking(postgres_url).await.expect("PostgreSQL");
    for url in [lite, post] {
        println!("database: {url}");
        let store = Store::open(&url).await.unwrap_or_else(|e| panic!("{url}: {e:?}"));
        test(store.clone()).await;
        store.close().await;
    }
}
