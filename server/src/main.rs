//! `padis`: the portal, the engine alone, the settings.

mod engine_args;

use padis_server::compose::Administrator;
use padis_server::{compose, config};
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn help() -> String {
    format!(
        "padis serve               run the portal with everything it needs (the default)
{}
padis config              show every setting and where it came from
padis version             show the version
Settings: padis.toml (or $PADIS_CONFIG) and PADIS_* in the environment.",
        engine_args::USAGE
    )
}

#[tokio::main]
async fn main() -> ExitCode {
    // Before anything can open a TLS connection. An error only says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map_or("serve", String::as_str) {
        "serve" if args.len() <= 1 => with_config(serve).await,
        "engine" => with_config(|c| engine(c, args[1..].to_vec())).await,
        "config" if args.len() == 1 => {
            with_config(|c| async move {
                print!("{}", c.describe());
                Ok(())
            })
            .await
        }
        "version" | "--version" | "-V" => {
            println!("padis {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        "help" | "--help" | "-h" => {
            println!("{}", help());
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("padis: unknown arguments: {}\n{}", args.join(" "), help());
            ExitCode::from(2)
        }
    }
}

async fn with_config<F, T>(run: F) -> ExitCode
where
    F: FnOnce(config::Config) -> T,
    T: Future<Output = Result<(), String>>,
{
    let config = match config::load() {
        Ok(c) => c,
        Err(e) => {
            for fault in &e.faults {
                eprintln!("padis: {fault}");
            }
            return ExitCode::from(2);
        }
    };
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("padis: {why}");
            ExitCode::FAILURE
        }
    }
}

fn log(c: &config::Config) -> Result<(), String> {
    let filter = EnvFilter::try_new(&c.log.filter).map_err(|e| format!("log.filter: {e}"))?;
    let colours = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    let set = if c.log.json { builder.json().try_init() } else { builder.try_init() };
    set.map_err(|e| e.to_string())
}

async fn serve(c: config::Config) -> Result<(), String> {
    log(&c)?;
    let public = c.public_url.clone();
    let signal = stop_signal()?;
    let running = compose::start(c).await.map_err(|e| compose::chain(&e))?;
    let mut hello = format!("Padis: http://{}", running.address);
    if let Some(url) = public {
        let _ = write!(hello, "  ({url})");
    }
    println!("{hello}");
    match &running.administrator {
        // Said this once and kept nowhere.
        Administrator::MadeUp(password) => println!("First administrator: admin  password: {}", password.reveal()),
        Administrator::Given => println!("First administrator: admin  password: as in admin.password"),
        Administrator::Known => {}
    }
    signal.await;
    println!("Padis is stopping; applications run on.");
    tokio::spawn(async {
        if let Ok(again) = stop_signal() {
            again.await;
            eprintln!("padis: stopped at once");
            std::process::exit(130);
        }
    });
    running.stop().await;
    Ok(())
}

async fn engine(mut c: config::Config, args: Vec<String>) -> Result<(), String> {
    let config = engine_args::read(&mut c, args)?;
    log(&c)?;
    let signal = stop_signal()?;
    let engine = padis_engine::Engine::start(config).await.map_err(|e| compose::chain(&e))?;
    println!("Marathon API: http://{}  Mesos API: http://{}", engine.marathon(), engine.mesos());
    signal.await;
    engine.stop().await;
    Ok(())
}

/// Ctrl-C or SIGTERM. Listening begins with the call, so that no signal is missed.
fn stop_signal() -> Result<impl Future<Output = ()>, String> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| e.to_string())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    })
}
