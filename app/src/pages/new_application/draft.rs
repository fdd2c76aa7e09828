//! What has been chosen and typed so far, and what is wrong with it.

use super::upload::Uploading;
use crate::api::form::NewAppForm;
use crate::api::{self, Fault, Outcome};
use crate::pages::field_error;
use crate::pages::parts::Told;
use crate::text::texts;
use crate::ui::effect;
use leptos::prelude::*;
use padis_domain::Problem;
use padis_domain::name::suggest;
use padis_domain::problem::ValueFault;
use padis_domain::quantity::Size;
use padis_domain::view::{NewAppOptions, PackageRow, PoolRow, StackView, fits};
use std::time::Duration;

/// The form's fields that say what is wrong with them themselves.
pub const FIELDS: &[&str] = &[
    "team",
    "name",
    "title",
    "stack",
    "package",
    "pool",
    "instances",
    "cpu",
    "mem",
    "health_path",
    "health_expect",
    "interval_s",
    "timeout_s",
    "failures",
    "grace_s",
    "env",
    "secrets",
];

/// The draft. Copies share one state.
#[derive(Clone, Copy)]
pub struct Draft {
    /// What there is to choose from; it may change while the form is filled in.
    pub options: RwSignal<NewAppOptions>,
    pub packages: RwSignal<Vec<PackageRow>>,
    pub uploading: Uploading,
    pub told: Told,
    /// The browser half has taken over.
    pub live: RwSignal<bool>,
    pub stack: RwSignal<String>,
    pub package: RwSignal<String>,
    pub team: RwSignal<String>,
    /// The team stands in the address, or came back with the form.
    pub team_chosen: bool,
    pub pool: RwSignal<String>,
    pub size: RwSignal<String>,
    pub cpu: RwSignal<String>,
    pub mem: RwSignal<String>,
    pub instances: RwSignal<String>,
    pub name: RwSignal<String>,
    pub title: RwSignal<String>,
    pub health_path: RwSignal<String>,
    pub health_expect: RwSignal<String>,
    pub rules: RwSignal<[String; 4]>,
    pub env: RwSignal<String>,
    pub secrets: RwSignal<String>,
    /// Typed by hand: no longer suggested over.
    pub own_name: RwSignal<bool>,
    pub own_path: RwSignal<bool>,
    pub own_stack: RwSignal<bool>,
    /// What the server's rules say about the draft as it stands.
    wrong: RwSignal<Vec<Problem>>,
    /// Changed since it was last submitted.
    edited: RwSignal<bool>,
}

impl Draft {
    /// A fresh draft, or one that came back. `uploaded` and `team` are those of the
    /// page's address, empty where it names none.
    pub fn new(
        options: NewAppOptions,
        more: Option<PackageRow>,
        form: Option<NewAppForm>,
        (uploaded, team): (&str, &str),
        told: Told,
        refused: Option<Fault>,
    ) -> Self {
        let back = form.is_some();
        let asked = options.teams.iter().find(|t| t.0 == team).map(|t| t.0.clone());
        let mut f = form.unwrap_or_else(|| NewAppForm {
            team: options.teams.first().map(|t| t.0.clone()).unwrap_or_default(),
            size: "M".into(),
            instances: "1".into(),
            ..NewAppForm::default()
        });
        let team_chosen = back || asked.is_some();
        if let Some(team) = asked.filter(|_| !back) {
            f.team = team;
        }
        let mut packages = options.packages.clone();
        packages.extend(more);
        let package = if uploaded.is_empty() { f.package.clone() } else { uploaded.to_owned() };
        let d = Self {
            packages: RwSignal::new(packages),
            uploading: Uploading::new(refused),
            told,
            live: RwSignal::new(false),
            // What came back was chosen: another one in its place would hide what is wrong with it.
            own_stack: RwSignal::new(back && !f.stack.is_empty()),
            stack: RwSignal::new(f.stack),
            package: RwSignal::new(package),
            team: RwSignal::new(f.team),
            team_chosen,
            pool: RwSignal::new(f.pool),
            size: RwSignal::new(f.size),
            cpu: RwSignal::new(f.cpu),
            mem: RwSignal::new(f.mem),
            instances: RwSignal::new(f.instances),
            own_name: RwSignal::new(back && !f.name.is_empty()),
            own_path: RwSignal::new(back && !f.health_path.is_empty()),
            name: RwSignal::new(f.name),
            title: RwSignal::new(f.title),
            health_path: RwSignal::new(f.health_path),
            health_expect: RwSignal::new(f.health_expect),
            rules: RwSignal::new([f.interval_s, f.timeout_s, f.failures, f.grace_s]),
            env: RwSignal::new(f.env),
            secrets: RwSignal::new(f.secrets),
            wrong: RwSignal::default(),
            edited: RwSignal::new(false),
            options: RwSignal::new(options),
        };
        d.suggest();
        d.choose_only_pool();
        effect(move || d.live.set(true));
        d.check();
        d
    }

    /// Follows what there is to choose from: a middleware or a host may come while
    /// somebody fills in the form. What was chosen and typed stays, also a middleware
    /// that has gone: the server says so where it is chosen, and it does not vanish.
    pub fn follow(self, changed: ReadSignal<u32>) {
        effect(move || {
            if changed.get() == 0 {
                return;
            }
            leptos::task::spawn_local(async move {
                let Ok(mut now) = api::new_app_options().await else { return };
                // The page may have been left meanwhile.
                if self.options.is_disposed() {
                    return;
                }
                let chosen = untrack(move || self.chosen_stack());
                now.stacks.extend(chosen.filter(|c| !now.stacks.iter().any(|s| s.key == c.key)));
                let same = self.options.with_untracked(|o| o.stacks == now.stacks && o.pools == now.pools);
                if !same {
                    self.options.update(|o| (o.stacks, o.pools) = (now.stacks, now.pools));
                    self.suggest();
                    self.choose_only_pool();
                }
            });
        });
    }

    /// The chosen package.
    pub fn chosen_package(self) -> Option<PackageRow> {
        let sha = self.package.get();
        self.packages.with(|l| l.iter().find(|p| p.sha256 == sha).cloned())
    }
    /// The chosen middleware.
    pub fn chosen_stack(self) -> Option<StackView> {
        let key = self.stack.get();
        self.options.with(|o| o.stacks.iter().find(|s| s.key == key).cloned())
    }
    /// The chosen pool.
    pub fn chosen_pool(self) -> Option<PoolRow> {
        let name = self.pool.get();
        self.options.with(|o| o.pools.iter().find(|p| p.spec.name == name).cloned())
    }
    /// The chosen size, if it can be read.
    pub fn chosen_size(self) -> Option<Size> {
        let preset = self.size.get();
        if let Some((_, s)) = Size::PRESETS.iter().find(|(n, _)| *n == preset) {
            return Some(*s);
        }
        let cpu = api::form::cores("cpu", &self.cpu.get()).ok()?;
        let mem = api::form::memory("mem", &self.mem.get()).ok()?;
        Some(Size { cpu_milli: u32::try_from(cpu).ok()?, mem_mib: u32::try_from(mem).ok()? })
    }
    /// How many instances, if it can be read.
    pub fn count(self) -> Option<u32> {
        self.instances.get().trim().parse().ok().filter(|n| *n > 0)
    }

    /// A package has come or was chosen: fills in what follows from it.
    pub fn take_package(self, row: PackageRow) {
        let sha = row.sha256.clone();
        self.packages.update(|l| {
            if !l.iter().any(|p| p.sha256 == sha) {
                l.insert(0, row);
            }
        });
        self.package.set(sha);
        self.suggest();
    }

    /// Middleware, health page and name from the package, where nothing was typed.
    pub fn suggest(self) {
        untrack(|| {
            let Some(p) = self.chosen_package() else {
                self.path_from_stack();
                return;
            };
            let fitting = |s: &StackView| fits(p.facts.kind, &s.contract);
            let keep = self.chosen_stack().is_some_and(|s| fitting(&s));
            if !keep && !self.own_stack.get() {
                let first = self.options.with(|o| o.stacks.iter().find(|s| fitting(s)).map(|s| s.key.clone()));
                if let Some(key) = first {
                    self.stack.set(key);
                }
            }
            if !self.own_path.get() {
                match &p.facts.health_path {
                    Some(path) => self.health_path.set(path.clone()),
                    None => self.path_from_stack(),
                }
            }
            if !self.own_name.get() {
                let name = suggest(stem(&p.file_name));
                if !name.is_empty() {
                    self.name.set(name);
                }
            }
        });
    }
    /// The health page that the middleware promises.
    pub fn path_from_stack(self) {
        untrack(|| {
            let known = self.chosen_package().and_then(|p| p.facts.health_path);
            if !self.own_path.get() && known.is_none() {
                let path = self.chosen_stack().map_or_else(|| "/".to_owned(), |s| s.contract.health_path);
                self.health_path.set(path);
            }
        });
    }
    /// Where there is only one pool for the team, it is the one.
    pub fn choose_only_pool(self) {
        untrack(|| {
            let team = self.team.get();
            let mine: Vec<String> = self.options.with(|o| {
                let with = o.pools.iter().filter(|p| p.quotas.contains_key(&team));
                with.map(|p| p.spec.name.clone()).collect()
            });
            let now = self.pool.get();
            if !mine.contains(&now) {
                self.pool.set(if let [one] = mine.as_slice() { one.clone() } else { String::new() });
            }
        });
    }

    /// The form as it would be sent.
    pub fn form(self) -> NewAppForm {
        let [interval_s, timeout_s, failures, grace_s] = self.rules.get();
        NewAppForm {
            team: self.team.get(),
            name: self.name.get(),
            title: self.title.get(),
            stack: self.stack.get(),
            package: self.package.get(),
            pool: self.pool.get(),
            instances: self.instances.get(),
            size: self.size.get(),
            cpu: self.cpu.get(),
            mem: self.mem.get(),
            health_path: self.health_path.get(),
            health_expect: self.health_expect.get(),
            interval_s,
            timeout_s,
            failures,
            grace_s,
            env: self.env.get(),
            secrets: self.secrets.get(),
            once: String::new(),
        }
    }

    /// Asks the server's rules, when the typing pauses.
    fn check(self) {
        let form = Memo::new(move |_| self.form());
        let waiting = StoredValue::new(None::<TimeoutHandle>);
        Effect::new(move |first: Option<()>| {
            let form = form.get();
            if first.is_none() {
                return;
            }
            self.edited.set(true);
            if let Some(h) = waiting.get_value() {
                h.clear();
            }
            let ask = move || {
                leptos::task::spawn_local(async move {
                    if let Ok(problems) = api::check_new_app(form).await {
                        let _ = self.wrong.try_set(problems);
                    }
                });
            };
            waiting.set_value(set_timeout_with_handle(ask, Duration::from_millis(300)).ok());
        });
        effect(move || {
            self.told.said.track();
            self.edited.set(false);
        });
    }

    /// What is wrong with a field: as submitted until it is edited, then as it stands.
    pub fn error(self, name: &'static str) -> Signal<Option<String>> {
        let t = texts();
        Signal::derive(move || {
            if !self.edited.get() {
                return match self.told.said.get() {
                    Outcome::Failed(f) => field_error(t, Some(&f), name),
                    _ => None,
                };
            }
            // What is merely not filled in yet is said by the button, not in red.
            let problems: Vec<Problem> = self.wrong.with(|w| w.iter().filter(|p| !missing(p)).cloned().collect());
            field_error(t, Some(&Fault::Portal(Problem::Fields { problems })), name)
        })
    }
    /// Whether the server's rules found anything but missing fields.
    pub fn is_wrong(self) -> bool {
        self.edited.get() && self.wrong.with(|w| w.iter().any(|p| !missing(p)))
    }
    /// Whether the name was found to be free.
    pub fn name_is_free(self) -> bool {
        let t = self.name.with(|n| padis_domain::name::check_name(n).is_ok());
        t && self.edited.get() && self.wrong.with(|w| !w.iter().any(|p| p.about_field() == Some("name")))
    }
}

fn missing(p: &Problem) -> bool {
    use padis_domain::problem::NameFault;
    matches!(p, Problem::Field { fault: ValueFault::Missing | ValueFault::Name { fault: NameFault::Empty }, .. })
}

/// A file's name without its ending and its version: `claims-portal-4.18.0.war` → `claims-portal`.
fn stem(file: &str) -> &str {
    let base = file.split('.').next().unwrap_or(file);
    let cut = base.char_indices().find(|(i, c)| {
        (*c == '-' || *c == '_')
            && base[i + 1..].starts_with(|d: char| d.is_ascii_digit() || d == 'v')
            && base[i + 1..].trim_start_matches('v').starts_with(|d: char| d.is_ascii_digit())
    });
    cut.map_or(base, |(i, _)| &base[..i])
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn a_name_is_suggested_without_its_version() {
        assert_eq!(stem("claims-portal-4.18.0.war"), "claims-portal");
        assert_eq!(stem("site_v2.zip"), "site");
        assert_eq!(stem("letters.tar.gz"), "letters");
        assert_eq!(stem("web-video-2026.jar"), "web-video");
    }
}
