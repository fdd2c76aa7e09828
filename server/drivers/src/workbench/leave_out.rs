//! Taking away what is not to be in the image, before it is made.
//!
//! One could get it wrong by trusting a path: it is given to `rm -rf` as root. So it is
//! absolute, goes nowhere upwards and is not the root itself; and it comes after `--`, as an
//! argument, never through a shell.

use super::exec::run;
use super::{Place, refused};
use padis_domain::ports::PortResult;
use std::time::Duration;

/// Bytes of paths in one command; Linux takes 128 KiB for one argument and 2 MiB for all.
const BATCH: usize = 32 * 1024;
/// For one command: what is deleted may be large.
const LIMIT: Duration = Duration::from_secs(600);

/// Refuses paths that nobody can have meant.
pub(crate) fn check(paths: &[String]) -> PortResult<()> {
    for path in paths {
        let mut parts = path.split('/').filter(|p| !p.is_empty());
        let absolute = path.starts_with('/') && !path.contains('\0') && path.len() < BATCH;
        let somewhere = parts.clone().next().is_some() && parts.all(|p| p != "." && p != "..");
        if !absolute || !somewhere {
            return Err(refused(format!("{path:?} can't be left out: an absolute path without . and .. is needed")));
        }
    }
    Ok(())
}

/// By the shell: where that is busybox, `rm` may be no program of its own.
const RM: [&str; 4] = ["/bin/sh", "-c", "rm -rf -- \"$@\"", "rm"];

/// Commands with as many paths as fit.
fn batches(paths: &[String]) -> Vec<Vec<String>> {
    let mut out: Vec<Vec<String>> = Vec::new();
    let mut room = 0;
    for path in paths {
        let needs = path.len() + 1;
        if needs > room || out.is_empty() {
            out.push(RM.map(str::to_owned).to_vec());
            room = BATCH;
        }
        room -= needs;
        if let Some(last) = out.last_mut() {
            last.push(path.clone());
        }
    }
    out
}

/// Deletes them in the workbench; what is not there is fine.
pub(super) async fn delete(place: &Place, name: &str, paths: &[String]) -> PortResult<()> {
    for command in batches(paths) {
        let ended = run(place, name, command, LIMIT).await?;
        if ended.code != 0 {
            return Err(refused(format!("what is to be left out can't be deleted in the workbench: {}", ended.said)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_that_somebody_can_have_meant_are_deleted() {
        let fits = |path: &str| check(&[path.to_owned()]).is_ok();
        for good in ["/a", "/root/.bash_history", "/with space/-rf", "/..a/b..", "/a/"] {
            assert!(fits(good), "{good}");
        }
        for odd in ["", "/", "//", "a", "./a", "/a/../..", "/..", "/a/./b", "/a\0b"] {
            assert!(!fits(odd), "{odd:?}");
        }
    }

    #[test]
    fn many_paths_are_several_commands() {
        let paths: Vec<String> = (0..1000).map(|n| format!("/{n:0>99}")).collect();
        let commands = batches(&paths);
        assert_eq!(commands.len(), 4);
        assert_eq!(commands.iter().flat_map(|c| c[RM.len()..].to_vec()).collect::<Vec<_>>(), paths);
        assert!(batches(&[]).is_empty());
    }
}
