//! What Java archives say about themselves: manifests, class files, libraries.

use std::collections::BTreeMap;

/// The major version of a class file (JVMS section 4.1): 61 is Java 17.
pub fn class_major(b: &[u8]) -> Option<u16> {
    let magic = b.get(..4)? == [0xca, 0xfe, 0xba, 0xbe];
    magic.then_some(u16::from_be_bytes([*b.get(6)?, *b.get(7)?]))
}

/// A version or name for people: short, without control characters.
pub fn tidy(s: &str) -> String {
    s.trim().chars().filter(|c| !c.is_control()).take(64).collect()
}

/// The main section of `META-INF/MANIFEST.MF`.
#[derive(Debug, Default)]
pub struct Manifest(BTreeMap<String, String>);

impl Manifest {
    /// Reads the main section; a line that begins with a blank goes on the one before it.
    pub fn parse(text: &str) -> Self {
        let mut out: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            if let (Some(more), Some(last)) = (line.strip_prefix(' '), out.last_mut()) {
                last.1.push_str(more);
            } else if line.is_empty() {
                break;
            } else if let Some((k, v)) = line.split_once(':') {
                out.push((k.trim().to_ascii_lowercase(), v.trim().to_owned()));
            }
        }
        Self(out.into_iter().collect())
    }

    /// An attribute, by its name in lower case.
    pub fn get(&self, key: &str) -> Option<String> {
        self.0.get(key).map(|v| tidy_name(v)).filter(|v| !v.is_empty())
    }

    /// What is started. Spring Boot's launcher is the main class there, and the application's is `Start-Class`.
    pub fn main_class(&self) -> Option<String> {
        let main = self.get("main-class")?;
        Some(self.get("start-class").unwrap_or(main))
    }

    /// The version it gives itself, unless a build tool left a placeholder.
    pub fn version(&self) -> Option<String> {
        let v = self.get("implementation-version").or_else(|| self.get("bundle-version"))?;
        (!v.contains("${")).then(|| tidy(&v))
    }
}

fn tidy_name(s: &str) -> String {
    s.trim().chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Libraries worth naming: artifact, name for people.
const KNOWN: [(&str, &str); 18] = [
    ("spring-boot", "Spring Boot"),
    ("spring-core", "Spring"),
    ("quarkus-core", "Quarkus"),
    ("micronaut-core", "Micronaut"),
    ("helidon-webserver", "Helidon"),
    ("vertx-core", "Vert.x"),
    ("struts2-core", "Struts"),
    ("vaadin-core", "Vaadin"),
    ("wicket-core", "Wicket"),
    ("hibernate-core", "Hibernate"),
    ("mybatis", "MyBatis"),
    ("dubbo", "Dubbo"),
    ("tomcat-embed-core", "Tomcat (embedded)"),
    ("jetty-server", "Jetty (embedded)"),
    ("undertow-core", "Undertow (embedded)"),
    ("log4j-core", "Log4j"),
    ("fastjson", "Fastjson"),
    ("netty-transport", "Netty"),
];
/// The same, found by their classes in an archive that has swallowed its libraries.
const KNOWN_CLASSES: [(&str, &str); 5] = [
    ("org/springframework/boot/SpringApplication.class", "Spring Boot"),
    ("io/quarkus/runtime/Quarkus.class", "Quarkus"),
    ("io/micronaut/runtime/Micronaut.class", "Micronaut"),
    ("io/vertx/core/Vertx.class", "Vert.x"),
    ("org/eclipse/jetty/server/Server.class", "Jetty (embedded)"),
];

/// Libraries seen so far.
#[derive(Debug, Default)]
pub struct Libraries {
    /// Name for people and version.
    seen: BTreeMap<&'static str, String>,
    actuator: bool,
    javax: bool,
    jakarta: bool,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// `Spring Boot 3.2.1`, the framework first.
    pub names: Vec<String>,
    /// Spring Boot's actuator, which serves a health page.
    pub actuator: bool,
    /// Needs `javax.` servlets.
    pub javax: bool,
    /// Needs `jakarta.` servlets.
    pub jakarta: bool,
}

impl Libraries {
    /// A library by its file name, `spring-boot-3.2.1.jar`.
    pub fn jar(&mut self, file: &str) {
        let stem = file.strip_suffix(".jar").unwrap_or(file);
        let (artifact, version) = split(stem);
        if let Some((_, name)) = KNOWN.iter().find(|(a, _)| *a == artifact) {
            self.seen.entry(name).or_insert_with(|| tidy(version));
        }
        self.actuator |= artifact.starts_with("spring-boot-actuator") || artifact == "spring-boot-starter-actuator";
        let major: u32 = version.split('.').next().and_then(|v| v.parse().ok()).unwrap_or(0);
        match artifact {
            "javax.servlet-api" | "servlet-api" => self.javax = true,
            "jakarta.servlet-api" => (self.javax, self.jakarta) = (self.javax || major == 4, self.jakarta || major > 4),
            "spring-web" if major > 0 => {
                (self.javax, self.jakarta) = (self.javax || major < 6, self.jakarta || major >= 6)
            }
            _ => {}
        }
    }

    /// A class by its path.
    pub fn class(&mut self, name: &[u8]) {
        if let Some((_, n)) = KNOWN_CLASSES.iter().find(|(path, _)| name == path.as_bytes()) {
            self.seen.entry(n).or_default();
        }
        self.actuator |= name.starts_with(b"org/springframework/boot/actuate/health/");
    }

    /// The result. Spring alone is not named beside Spring Boot.
    pub fn found(&self) -> Found {
        let order = |n: &str| KNOWN.iter().position(|(_, k)| *k == n).unwrap_or(usize::MAX);
        let mut names: Vec<_> = self.seen.iter().collect();
        names.sort_by_key(|(n, _)| order(n));
        let boot = self.seen.contains_key("Spring Boot");
        let names = names.into_iter().filter(|(n, _)| !(boot && **n == "Spring"));
        let names = names.map(|(n, v)| if v.is_empty() { (*n).to_owned() } else { format!("{n} {v}") });
        Found { names: names.collect(), actuator: self.actuator, javax: self.javax, jakarta: self.jakarta }
    }
}

/// Splits `spring-boot-3.2.1` at the first hyphen before a digit.
pub fn split(stem: &str) -> (&str, &str) {
    let at = stem.char_indices().zip(stem.chars().skip(1)).find(|((_, c), next)| *c == '-' && next.is_ascii_digit());
    at.map_or((stem, ""), |((i, _), _)| (&stem[..i], &stem[i + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_go_on_over_lines() {
        let m = Manifest::parse(
            "Manifest-Version: 1.0\r\nMain-Class: org.springframework.boot.loader.launch.\r\n JarLauncher\r\nStart-Class: bank.App\r\nImplementation-Version: 1.2\r\n\r\nName: x\r\nMain-Class: y\r\n",
        );
        assert_eq!(m.main_class().as_deref(), Some("bank.App"));
        assert_eq!(m.version().as_deref(), Some("1.2"));
        assert_eq!(Manifest::parse("Start-Class: a\n").main_class(), None);
    }

    #[test]
    fn libraries_are_named_with_versions() {
        let mut l = Libraries::default();
        for f in [
            "spring-core-6.1.2.jar",
            "spring-boot-3.2.1.jar",
            "log4j-core-2.14.1.jar",
            "spring-boot-actuator-3.2.1.jar",
        ] {
            l.jar(f);
        }
        let f = l.found();
        assert_eq!(f.names, ["Spring Boot 3.2.1", "Log4j 2.14.1"]);
        assert!(f.actuator && !f.javax);
        l.jar("spring-web-5.3.9.jar");
        assert!(l.found().javax);
    }
}
