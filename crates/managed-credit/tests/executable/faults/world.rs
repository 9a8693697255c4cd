//! The three services as processes of their own, each behind ways that can be cut.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;

use managed_credit::running::Part;
use tempfile::TempDir;
use tokio::task::block_in_place;

use super::postgres::Postgres;
use super::proxy::Proxy;
use crate::process::{Services, managed_credit};

/// Where the services keep their facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// One process of each service, on a file of its own.
    Sqlite,
    /// Two processes of each service, on one PostgreSQL that is the world's own.
    Postgresql,
}

impl Storage {
    /// How many processes each service has.
    pub const fn replicas(self) -> usize {
        match self {
            Self::Sqlite => 1,
            Self::Postgresql => 2,
        }
    }
}

/// How one service is called by another.
const CALLS: [(Part, Part); 3] =
    [(Part::Activity, Part::Access), (Part::Credit, Part::Access), (Part::Credit, Part::Activity)];

pub struct World {
    pub storage: Storage,
    processes: [Vec<Option<Services>>; 3],
    /// From callers to each service.
    pub ways: [Proxy; 3],
    /// Between services, as `CALLS` lists them.
    pub between: [Proxy; 3],
    /// From each service to its database, where that is PostgreSQL.
    pub databases: Vec<Proxy>,
    urls: [String; 3],
    between_urls: [String; 3],
    pub postgres: Option<Postgres>,
    folder: TempDir,
}

pub const fn short_name(part: Part) -> &'static str {
    match part {
        Part::Access => "access",
        Part::Activity => "activity",
        Part::Credit => "credit",
    }
}

impl World {
    pub async fn start(storage: Storage) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let postgres = (storage == Storage::Postgresql).then(|| block_in_place(Postgres::start));
        let mut databases = Vec::new();
        for part in Part::ALL {
            if let Some(postgres) = &postgres {
                let socket = folder.path().join(short_name(part));
                fs::create_dir(&socket).expect("a folder");
                block_in_place(|| postgres.create(short_name(part)));
                databases.push(Proxy::to_postgres(postgres.socket_folder(), &socket));
            }
        }
        let [access, activity, credit] =
            [Proxy::to_services().await, Proxy::to_services().await, Proxy::to_services().await];
        let between = [Proxy::to_services().await, Proxy::to_services().await, Proxy::to_services().await];
        let between_urls = between.each_ref().map(|(_, url)| url.clone());
        let mut world = Self {
            storage,
            processes: [const { Vec::new() }; 3],
            urls: [access.1, activity.1, credit.1],
            ways: [access.0, activity.0, credit.0],
            between: between.map(|(proxy, _)| proxy),
            between_urls,
            databases,
            postgres,
            folder,
        };
        for part in Part::ALL {
            for replica in 0..storage.replicas() {
                world.processes[part as usize].push(None);
                world.start_process(part, replica);
            }
        }
        world
    }

    /// Where a service is called.
    pub fn url(&self, part: Part) -> &str {
        &self.urls[part as usize]
    }

    fn database_url(&self, part: Part) -> String {
        let name = short_name(part);
        let path = self.folder.path().join(name);
        match self.storage {
            Storage::Sqlite => format!("sqlite://{}.sqlite3", path.display()),
            Storage::Postgresql => format!("postgres://postgres@localhost/{name}?host={}", path.display()),
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn between_url(&self, caller: Part, called: Part) -> &str {
        let place = CALLS.iter().position(|call| *call == (caller, called));
        place.map_or("http://127.0.0.1:9", |place| &self.between_urls[place])
    }

    pub fn start_process(&mut self, part: Part, replica: usize) {
        let name = short_name(part);
        let (listen, database) = (format!("--{name}-listen"), format!("--{name}-database-url"));
        let mut command =
            managed_credit(&["serve", name, "--migrate", "--log", "info,sqlx=warn,sea_orm_migration=warn"]);
        command.args([&listen, "127.0.0.1:0", &database, &self.database_url(part)]);
        if part != Part::Access {
            command.args(["--access-url", self.between_url(part, Part::Access)]);
        }
        if part == Part::Credit {
            command.args(["--activity-url", self.between_url(part, Part::Activity)]);
        }
        let log = File::options().create(true).append(true).open(self.log()).expect("a file");
        let services = block_in_place(|| Services::start_by(command.stderr(log), 1));
        self.processes[part as usize][replica] = Some(services);
        self.lead_the_ways(part);
    }

    /// Whoever calls a service is led to those of its processes that run.
    fn lead_the_ways(&self, part: Part) {
        let address = |services: &Services| -> SocketAddr {
            services.url(part.as_str()).trim_start_matches("http://").parse().expect("an address")
        };
        let targets: Vec<SocketAddr> = self.processes[part as usize].iter().flatten().map(address).collect();
        let called = CALLS.iter().zip(&self.between).filter(|((_, called), _)| *called == part);
        for way in called.map(|(_, way)| way).chain([&self.ways[part as usize]]) {
            way.lead_to(targets.clone());
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self, part: Part, replica: usize) {
        // Services end so when they are dropped.
        self.processes[part as usize][replica] = None;
        self.lead_the_ways(part);
    }

    /// Stops a process where it is, or lets it go on.
    pub fn signal(&self, part: Part, replica: usize, name: &str) {
        self.processes[part as usize][replica].as_ref().expect("it runs").signal(name);
    }

    /// The end of what the processes have logged.
    pub fn end_of_log(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}
