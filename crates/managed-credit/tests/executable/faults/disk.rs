//! A disk that is full: a small one of the test's own, in memory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use contracts::wire::activity::{ListActivitiesRequest, RecordActivitiesRequest};
use managed_credit::running::Part;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::writing::{ANNA, CARLA, activity};
use crate::process::{FREE_PORTS, Services, managed_credit};

/// The disk, in bytes, and what is on it besides.
const DISK: usize = 12 * 1_024 * 1_024;
const BESIDES: usize = 9 * 1_024 * 1_024;

/// How much one call records.
const BATCH: i32 = 500;

/// Services on a small disk.
struct SmallDisk {
    services: Services,
    /// What takes the place, as this process sees it.
    besides: PathBuf,
}

impl SmallDisk {
    /// Mounts it where only the services see it: that needs the rights of root, or a namespace of its own for them.
    fn start(folder: &Path) -> Self {
        let data = folder.join("data");
        fs::create_dir(&data).expect("a folder");
        let data = data.to_str().expect("a path of text");
        let mut arguments = vec!["serve", "all", "--log", "off", "--data-dir", data];
        arguments.extend(FREE_PORTS);
        let serve = managed_credit(&arguments);
        let script = format!(
            "mount -t tmpfs -o size={DISK} none {data} && head -c {BESIDES} /dev/zero >{data}/besides && exec \"$@\""
        );
        let may_mount = Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success());
        let mut command = Command::new("unshare");
        command.arg(if may_mount { "-m" } else { "-rm" }).args(["bash", "-c", &script, "bash"]);
        command.arg(serve.get_program()).args(serve.get_args());
        let services = Services::start_by(&mut command, 3);
        let besides = PathBuf::from(format!("/proc/{}/root{data}/besides", services.process_id()));
        Self { services, besides }
    }

    fn make_room(&self) {
        fs::remove_file(&self.besides).expect("what else is on the disk");
    }
}

/// Until the disk is full, then again when there is room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_what_it_cannot_keep_and_loses_nothing_else() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let disk = SmallDisk::start(folder.path());
    assert!(File::open(&disk.besides).is_ok(), "the disk can be reached");
    let url = disk.services.url(Part::Activity.as_str());
    let mut client = ActivityTrackingServiceClient::connect(url).await.expect("it is ready");
    // Nobody is known, so nothing counts; it is kept all the same.
    let batch = |number: i32| {
        let activities = (0..BATCH).map(|index| activity(1, ANNA, number * BATCH + index)).collect();
        RecordActivitiesRequest { activities, ..Default::default() }
    };
    let mut acknowledged = 0;
    let refused = loop {
        match client.record_activities(batch(acknowledged)).await {
            Ok(_) => acknowledged += 1,
            Err(refused) => break refused,
        }
        assert!(acknowledged < 1_000, "the disk is small");
    };
    let reason = refused.get_details_error_info().expect("a reason").reason;
    assert_eq!((refused.code(), reason.as_str()), (Code::Unavailable, "STORAGE_UNAVAILABLE"));
    assert!(acknowledged > 0, "there was some room");
    let recorded = async |client: &mut ActivityTrackingServiceClient<_>| {
        let mut request =
            ListActivitiesRequest { client: "clients/10001".to_owned(), page_size: 1_000, ..Default::default() };
        let mut count = 0;
        loop {
            let page = client.list_activities(request.clone()).await.expect("it is read").into_inner();
            count += page.activities.len();
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return count;
            }
        }
    };
    let kept = |batches: i32| usize::try_from(batches * BATCH).expect("few");
    assert_eq!(recorded(&mut client).await, kept(acknowledged), "what was acknowledged, and no half of what was not");

    disk.make_room();
    client.record_activities(batch(acknowledged)).await.expect("there is room again");
    let other = RecordActivitiesRequest { activities: vec![activity(1, CARLA, 0)], ..Default::default() };
    client.record_activities(other).await.expect("there is room again");
    assert_eq!(recorded(&mut client).await, kept(acknowledged + 1) + 1);
    let verified = disk.services.ask(&["verify"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}
