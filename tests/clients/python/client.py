"""The main job of a managed-credit client in Python, against a running system that wants proofs.

It needs grpcio, grpcio-tools and grpcio-status, and code that is generated from the contracts into a folder of its own:

    python3 -m grpc_tools.protoc -I proto --python_out=OUT --grpc_python_out=OUT \\
        $(find proto/managedcredit -name '*.proto')
    PYTHONPATH=OUT python3 tests/clients/python/client.py \\
        --access localhost:50051 --activity localhost:50052 --credit localhost:50053 \\
        --authorities authority.crt --platform-credential platform.key --person-credential token

The platform's credential is a preshared key or a token; the person's is a token for ADA, below. It says what it did,
and ends with exit code 1 and a sentence at the first answer that is not as expected. It writes partners 4101 and 4102
and clients 4111 and 4112, which are not expected to exist.
"""

import argparse
import sys
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import code_pb2, error_details_pb2
from grpc_status import rpc_status
from managedcredit.access.v1 import access_feed_service_pb2 as feed
from managedcredit.access.v1 import access_management_service_pb2 as management
from managedcredit.access.v1 import access_pb2 as access
from managedcredit.access.v1.access_feed_service_pb2_grpc import AccessFeedServiceStub
from managedcredit.access.v1.access_management_service_pb2_grpc import AccessManagementServiceStub
from managedcredit.activity.v1 import activity_pb2 as activity
from managedcredit.activity.v1 import activity_tracking_service_pb2 as tracking
from managedcredit.activity.v1.activity_tracking_service_pb2_grpc import ActivityTrackingServiceStub
from managedcredit.credit.v1 import credit_calculation_service_pb2 as calculation
from managedcredit.credit.v1 import credit_pb2 as credit
from managedcredit.credit.v1.credit_calculation_service_pb2_grpc import CreditCalculationServiceStub

PARTNER, OTHER_PARTNER = "partners/4101", "partners/4102"
CLIENT, SECOND_CLIENT, UNKNOWN_CLIENT = "clients/4111", "clients/4112", "clients/4119"
ADA, BEN = "ada@python-agency.example", "ben@contractor.example"
# Every call has a deadline; the services honour it and pass it on.
SECONDS = 30


class Difference(Exception):
    """An answer that is not as expected."""


def expect(what, found, expected):
    if found != expected:
        raise Difference(f"{what}: expected {expected!r}, found {found!r}")


def say(text):
    print(text, flush=True)


def instant(text):
    """A time of the contracts, from `2025-01-10T12:00:00Z`."""
    time = Timestamp()
    time.FromJsonString(text)
    return time


def connect(address, authorities, credential=None):
    """A channel that believes these authorities; with a credential, every call of it is proven by it."""
    proof = grpc.ssl_channel_credentials(root_certificates=authorities)
    if credential is not None:
        # A token or a preshared key: both are sent as `authorization: Bearer`.
        proof = grpc.composite_channel_credentials(proof, grpc.access_token_call_credentials(credential))
    return grpc.secure_channel(address, proof)


def refused(what, call, code, reason):
    """The call is refused with this code and reason; the details of the error, by their type."""
    try:
        call()
    except grpc.RpcError as error:
        expect(what, error.code(), code)
        status = rpc_status.from_call(error)
        if status is None:
            raise Difference(f"{what}: the error has no details: {error.details()}") from error
        details = {detail.TypeName(): detail for detail in status.details}
        info = error_details_pb2.ErrorInfo()
        expect(f"{what}, an ErrorInfo", details["google.rpc.ErrorInfo"].Unpack(info), True)
        expect(what, (info.domain, info.reason), ("managed-credit", reason))
        say(f"refused with {code.name}, {info.reason}: {status.message}")
        return details
    raise Difference(f"{what}: it should have been refused")


class Programme:
    """The three services, called by the platform, and credit-calculation by a person too."""

    def __init__(self, arguments):
        authorities = Path(arguments.authorities).read_bytes()
        platform = Path(arguments.platform_credential).read_text().strip()
        person = Path(arguments.person_credential).read_text().strip()
        to_access = connect(arguments.access, authorities, platform)
        to_activity = connect(arguments.activity, authorities, platform)
        to_credit = connect(arguments.credit, authorities, platform)
        by_person = connect(arguments.credit, authorities, person)
        unproven = connect(arguments.credit, authorities)
        self.channels = [to_access, to_activity, to_credit, by_person, unproven]
        self.access = AccessManagementServiceStub(to_access)
        self.feed = AccessFeedServiceStub(to_access)
        self.activity = ActivityTrackingServiceStub(to_activity)
        self.credit = CreditCalculationServiceStub(to_credit)
        self.credit_by_person = CreditCalculationServiceStub(by_person)
        self.credit_unproven = CreditCalculationServiceStub(unproven)

    def close(self):
        for channel in self.channels:
            channel.close()


def set_up(programme):
    """Who may work where, and what the client pays. The revision of the last fact."""
    since = instant("2024-01-01T00:00:00Z")
    # A request id makes a write safe to repeat: the repeat gets the first answer.
    creation = management.CreatePartnerRequest(
        hub_id=4101,
        partner=access.Partner(
            display_name="Python Agency", country_code="IT", email_domains=["python-agency.example"]
        ),
        effective_time=since,
        request_id=str(uuid.uuid4()),
    )
    first = programme.access.CreatePartner(creation, timeout=SECONDS)
    expect("the partner's name", first.partner.name, PARTNER)
    expect("the answer to a repeat", programme.access.CreatePartner(creation, timeout=SECONDS), first)
    programme.access.CreatePartner(
        management.CreatePartnerRequest(
            hub_id=4102,
            partner=access.Partner(display_name="Other Agency", country_code="DE"),
            effective_time=since,
        ),
        timeout=SECONDS,
    )
    employees = {}
    for parent, address, name, role in [
        (PARTNER, ADA, "Ada Rossi", access.ACCESS_ROLE_CLIENT_ACCESS_MANAGER),
        (OTHER_PARTNER, BEN, "Ben Weber", access.ACCESS_ROLE_NONE),
    ]:
        created = programme.access.CreateEmployee(
            management.CreateEmployeeRequest(
                parent=parent,
                employee=access.Employee(email_address=address, display_name=name, access_role=role),
                effective_time=since,
            ),
            timeout=SECONDS,
        )
        employees[address] = created.employee
    expect("whether Ada's domain is verified", employees[ADA].domain_verified, True)
    for hub_id, name in [(4111, "Aurora Bikes"), (4112, "Borealis Tea")]:
        programme.access.CreateClient(
            management.CreateClientRequest(
                hub_id=hub_id,
                client=access.Client(display_name=name, country_code="US"),
                effective_time=since,
            ),
            timeout=SECONDS,
        )
    for client, address in [(CLIENT, ADA), (CLIENT, BEN), (SECOND_CLIENT, ADA)]:
        added = programme.access.CreateClientUser(
            management.CreateClientUserRequest(
                parent=client,
                client_user=access.ClientUser(
                    email_address=address, display_name=address.split("@")[0].title(), permission_set="STANDARD"
                ),
                effective_time=since,
            ),
            timeout=SECONDS,
        )
        expect(f"the state of {address}", added.client_user.state, access.CLIENT_USER_STATE_ACTIVE)
    say("created 2 partners, 2 employees, 2 clients and 3 client users")

    # Ada is assigned by her domain. Ben's address is in no domain of his partner: his clients are linked by hand, and a
    # client that nobody knows is that item's error.
    linked = programme.access.BatchLinkClients(
        management.BatchLinkClientsRequest(
            employee=employees[BEN].name, clients=[CLIENT, UNKNOWN_CLIENT], effective_time=since
        ),
        timeout=SECONDS,
    )
    expect("the results", [result.WhichOneof("outcome") for result in linked.results], ["assignment", "error"])
    expect("the assignment", linked.results[0].assignment.state, access.ASSIGNMENT_STATE_EFFECTIVE)
    expect("the item's error", linked.results[1].error.code, code_pb2.NOT_FOUND)
    say(f"linked {CLIENT}; {UNKNOWN_CLIENT}: {linked.results[1].error.message}")

    # Money is decimal text, exact to the cent: never a floating-point number.
    paid = programme.credit.CreateSubscription(
        calculation.CreateSubscriptionRequest(
            parent=CLIENT,
            subscription_id="main",
            subscription=credit.Subscription(mrr=credit.Money(currency_code="USD", amount="1000.01")),
            effective_time=since,
        ),
        timeout=SECONDS,
    )
    expect("what the client pays", paid.subscription.mrr.amount, "1000.01")
    say(f"{paid.subscription.name} pays {paid.subscription.mrr.amount} {paid.subscription.mrr.currency_code}")
    return paid.revision


def work(name, address, time):
    """A published blog post."""
    return activity.Activity(
        name=name,
        email_address=address,
        occur_time=instant(time) if time else None,
        catalogue_action=activity.CatalogueAction(tool="blog", action="publish"),
        origin=activity.ORIGIN_PERSON,
    )


def record(programme):
    """Records what people did: an item each is counted, not counted, and wrong. The revision that knows it."""
    request = tracking.RecordActivitiesRequest(
        activities=[
            work(f"{CLIENT}/activities/python-1", ADA, "2025-01-10T12:00:00Z"),
            work(f"{CLIENT}/activities/python-2", "nobody@elsewhere.example", "2025-01-11T12:00:00Z"),
            work(f"{CLIENT}/activities/python-3", ADA, None),
        ],
        request_id=str(uuid.uuid4()),
    )
    recorded = programme.activity.RecordActivities(request, timeout=SECONDS)
    counted, not_counted, wrong = recorded.results
    expect("the verdict", counted.verdict.outcome, activity.VERDICT_OUTCOME_COUNTED)
    expires = counted.verdict.expire_time.ToDatetime(timezone.utc)
    expect("its expiry", expires, datetime(2025, 1, 10, 12, tzinfo=timezone.utc) + timedelta(days=60))
    expect("the verdict", not_counted.verdict.reason, activity.NOT_COUNTED_REASON_UNKNOWN_EMPLOYEE)
    expect("the wrong item", wrong.error.code, code_pb2.INVALID_ARGUMENT)
    say(f"recorded 3 activities: counted until {expires.isoformat()}; not counted; {wrong.error.message}")
    expect("the answer to a repeat", programme.activity.RecordActivities(request, timeout=SECONDS), recorded)
    del request.activities[2]
    refused(
        "another content by the same request id",
        lambda: programme.activity.RecordActivities(request, timeout=SECONDS),
        grpc.StatusCode.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
    )
    return recorded.revision


def managed_credit(programme, partner, revisions):
    """What the client brings a partner, by an answer that knows these revisions."""
    answer = programme.credit.GetManagedCredit(
        calculation.GetManagedCreditRequest(
            partner=partner,
            client=CLIENT,
            as_of_time=instant("2025-01-20T00:00:00Z"),
            at_least_revisions=revisions,
        ),
        timeout=SECONDS,
    )
    row = answer.managed_credit
    say(f"{partner}, {row.client_display_name}: {row.credit.amount} {row.credit.currency_code}, {row.points} points")
    return row


def share(programme, revisions):
    """The whole credit, and then equal parts: the cent that is left over goes to the older relationship."""
    alone = managed_credit(programme, PARTNER, revisions)
    expect("the credit", (alone.credit.amount, alone.points), ("1000.01", "10.00"))
    expect("the state", alone.state, credit.CREDIT_STATE_ACTIVE)
    recorded = programme.activity.RecordActivities(
        tracking.RecordActivitiesRequest(
            activities=[work(f"{CLIENT}/activities/python-4", BEN, "2025-01-15T12:00:00Z")]
        ),
        timeout=SECONDS,
    )
    expect("Ben's verdict", recorded.results[0].verdict.outcome, activity.VERDICT_OUTCOME_COUNTED)
    revisions = [*revisions, recorded.revision]
    for partner, amount in [(PARTNER, "500.01"), (OTHER_PARTNER, "500.00")]:
        part = managed_credit(programme, partner, revisions)
        expect("the part", (part.credit.amount, part.points, part.servicing_partners), (amount, "5.00", 2))
    return revisions


def ask(programme, revisions):
    """A person asks with a token of her own: why, and for all of her partner's clients, page by page."""
    explained = programme.credit_by_person.ExplainCredit(
        calculation.ExplainCreditRequest(
            partner=PARTNER,
            client=CLIENT,
            as_of_time=instant("2025-03-20T00:00:00Z"),
            at_least_revisions=revisions,
        ),
        timeout=SECONDS,
    ).explanation
    expect("the reason", explained.managed_credit.no_credit_reason, credit.NO_CREDIT_REASON_LAPSED)
    expect("when it was lost", explained.loss.lose_time, instant("2025-03-11T12:00:00Z"))
    say(f"why: {explained.headline}")
    request = calculation.ListManagedCreditsRequest(
        parent=PARTNER,
        page_size=1,
        as_of_time=instant("2025-01-20T00:00:00Z"),
        at_least_revisions=revisions,
    )
    clients = []
    while True:
        page = programme.credit_by_person.ListManagedCredits(request, timeout=SECONDS)
        expect("the totals of every page", (page.total_size, page.total_points), (2, "5.00"))
        clients += [row.client for row in page.managed_credits]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    expect("the clients", clients, [CLIENT, SECOND_CLIENT])
    say(f"listed {len(clients)} clients, one a page: {page.total_points} points")


def watch(programme):
    """The first message of the feed that services follow, and then the end of the stream by the caller."""
    stream = programme.feed.WatchAccess(feed.WatchAccessRequest(), timeout=SECONDS)
    message = next(stream)
    stream.cancel()
    expect("the first position", message.changes[0].position, 1)
    kind = message.changes[0].WhichOneof("fact")
    say(f"watched the access feed: {len(message.changes)} changes, the first is {kind}")


def be_refused(programme):
    """What is refused says why, in a form for programs."""
    policy = calculation.GetPolicyRequest()
    refused(
        "a call without proof",
        lambda: programme.credit_unproven.GetPolicy(policy, timeout=SECONDS),
        grpc.StatusCode.UNAUTHENTICATED,
        "CALLER_UNPROVEN",
    )
    wrong = management.CreatePartnerRequest(partner=access.Partner(display_name="Nowhere", country_code="Italy"))
    details = refused(
        "a request with wrong fields",
        lambda: programme.access.CreatePartner(wrong, timeout=SECONDS),
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELDS",
    )
    violations = error_details_pb2.BadRequest()
    details["google.rpc.BadRequest"].Unpack(violations)
    fields = [violation.field for violation in violations.field_violations]
    expect("all wrong fields", sorted(fields), ["hub_id", "partner.country_code"])
    for violation in violations.field_violations:
        say(f"  {violation.field}: {violation.description}")

    # Who acts for people says for whom in `x-actor`. What somebody may not see does not exist for them.
    question = calculation.GetManagedCreditRequest(partner=PARTNER, client=CLIENT)
    refused(
        "another partner's credit",
        lambda: programme.credit.GetManagedCredit(question, timeout=SECONDS, metadata=[("x-actor", BEN)]),
        grpc.StatusCode.NOT_FOUND,
        "UNKNOWN_PARTNER",
    )

    # An answer that does not know so much within the deadline says when to ask again.
    question.at_least_revisions.append("servicing-1000000")
    details = refused(
        "a revision that is ahead",
        lambda: programme.credit.GetManagedCredit(question, timeout=10),
        grpc.StatusCode.UNAVAILABLE,
        "FACTS_BEHIND",
    )
    retry = error_details_pb2.RetryInfo()
    details["google.rpc.RetryInfo"].Unpack(retry)
    expect("a time to ask again", retry.retry_delay.ToTimedelta() > timedelta(0), True)
    say(f"  to be asked again after {retry.retry_delay.ToTimedelta()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for service in ["access", "activity", "credit"]:
        parser.add_argument(f"--{service}", required=True, metavar="HOST:PORT")
    parser.add_argument("--authorities", required=True, metavar="FILE", help="who signs the services' certificates")
    parser.add_argument("--platform-credential", required=True, metavar="FILE")
    parser.add_argument("--person-credential", required=True, metavar="FILE")
    programme = Programme(parser.parse_args())
    try:
        revisions = [set_up(programme)]
        revisions.append(record(programme))
        revisions = share(programme, revisions)
        ask(programme, revisions)
        watch(programme)
        be_refused(programme)
    except Difference as difference:
        sys.exit(str(difference))
    except grpc.RpcError as error:
        sys.exit(f"an unexpected refusal: {error.code().name}: {error.details()}")
    finally:
        programme.close()
    say("all as expected")


if __name__ == "__main__":
    main()
