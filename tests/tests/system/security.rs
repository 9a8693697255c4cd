//! Proofs of who calls, and encryption, on running services: real handshakes, real tokens.

mod callers;
mod programme;
mod rotation;
mod tokens;
mod transport;

use contracts::wire::access::GetPartnerRequest;
use contracts::wire::access::access_management_service_client::AccessManagementServiceClient;
use managed_credit::running::Part;
use service_kit::Identity;
use system_tests::{Cluster, ClusterOptions, DatabaseKind, by, claims_of};
use tonic::{Request, Status};

const ANNA: &str = "anna@agency.example";
const CARLA: &str = "carla@agency.example";

/// Whoever has a token of the issuer that names them, by the cluster's clock.
fn person(cluster: &Cluster, address: &str) -> Identity {
    let proofs = cluster.proofs();
    proofs.with_credential(&proofs.token(&claims_of(address, cluster.now())))
}

/// Asks for partner 1001 as somebody, for somebody.
async fn get_partner(cluster: &Cluster, identity: &Identity, actor: Option<&str>) -> Result<String, Status> {
    let message = GetPartnerRequest { name: "partners/1001".to_owned() };
    let request = match actor {
        None => Request::new(message),
        Some(actor) => by(actor, message),
    };
    let mut access = AccessManagementServiceClient::new(cluster.channel_of(Part::Access, identity));
    let answer = access.get_partner(request).await?.into_inner();
    Ok(answer.partner.expect("a partner").display_name)
}
