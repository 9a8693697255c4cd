/*
 * A managed-credit client as in a web page, by gRPC-Web, with the `fetch` that browsers have too. The page is of an
 * origin that the services were told (`serve --grpc-web-origins`); what a browser would ask before it lets a page call
 * is asked here by hand.
 *
 * It needs the packages of package.json (`npm ci`; NODE_PATH and PATH where they are elsewhere), and code that is
 * generated from the contracts into a folder of its own:
 *
 *     buf generate proto --template tests/clients/node/buf.gen.yaml --output OUT
 *     NODE_EXTRA_CA_CERTS=authority.crt node tests/clients/node/grpc_web.js --generated OUT \
 *         --access https://localhost:50051 --activity https://localhost:50052 --credit https://localhost:50053 \
 *         --origin https://console.vendor.example --platform-credential platform.key --person-credential token
 *
 * The platform's credential is a preshared key or a token; the person's is a token for ADA, below. It says what it
 * did, and ends with exit code 1 and a sentence at the first answer that is not as expected. It writes partners 4301 and
 * 4302 and the client 4311, which are not expected to exist.
 */
"use strict";

const { readFileSync } = require("node:fs");
const { resolve } = require("node:path");
const { isDeepStrictEqual, parseArgs } = require("node:util");
const { timestampFromDate, timestampDate } = require("@bufbuild/protobuf/wkt");
const { Code, ConnectError, createClient } = require("@connectrpc/connect");
const { createGrpcWebTransport } = require("@connectrpc/connect-web");

const [PARTNER, OTHER_PARTNER, CLIENT] = ["partners/4301", "partners/4302", "clients/4311"];
const [ADA, BEN] = ["ada@web-agency.example", "ben@contractor.example"];
// Every call has a deadline; the services honour it and pass it on.
const MILLISECONDS = 30_000;

/** An answer that is not as expected. */
class Difference extends Error {}

function expect(what, found, expected) {
    if (!isDeepStrictEqual(found, expected)) throw new Difference(`${what}: expected ${expected}, found ${found}`);
}

const say = (text) => console.log(text);

const instant = (text) => timestampFromDate(new Date(text));

/** How a page of this origin calls a service; with a credential, every call is proven by it. */
function transport(baseUrl, origin, credential) {
    return createGrpcWebTransport({
        baseUrl,
        defaultTimeoutMs: MILLISECONDS,
        // A token or a preshared key: both are sent as `authorization: Bearer`.
        interceptors: [
            (next) => (request) => {
                if (credential !== undefined) request.header.set("authorization", `Bearer ${credential}`);
                return next(request);
            },
        ],
        // A browser says of which origin a page is; and that the answer is for it, or the page never sees it.
        fetch: async (input, init) => {
            const headers = new Headers(init.headers);
            headers.set("origin", origin);
            const answer = await fetch(input, { ...init, headers, redirect: "error" });
            expect("for whom the answer is", answer.headers.get("access-control-allow-origin"), origin);
            return answer;
        },
    });
}

/** What the page sends with a call, beside what every page may send. */
const REQUEST_HEADERS = ["authorization", "content-type", "grpc-timeout", "x-actor", "x-grpc-web", "x-user-agent"];

/** What a browser asks before a page of this origin may call, and what it needs to be told. */
async function preflight(url, origin) {
    const answer = await fetch(`${url}/managedcredit.credit.v1.CreditCalculationService/GetManagedCredit`, {
        method: "OPTIONS",
        headers: {
            origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": REQUEST_HEADERS.join(),
        },
    });
    const list = (name) => (answer.headers.get(name) ?? "").toLowerCase().split(",").map((item) => item.trim());
    return {
        succeeded: answer.ok,
        origin: answer.headers.get("access-control-allow-origin"),
        methods: list("access-control-allow-methods"),
        headers: list("access-control-allow-headers"),
    };
}

/** The page's origin may call, with what a call needs; another may not. */
async function askAsABrowser(flags) {
    for (const url of [flags.access, flags.activity, flags.credit]) {
        const allowed = await preflight(url, flags.origin);
        expect("the preflight's origin", [allowed.succeeded, allowed.origin], [true, flags.origin]);
        expect("the methods", allowed.methods, ["post"]);
        for (const header of REQUEST_HEADERS) {
            expect(`whether ${header} may be sent`, allowed.headers.includes(header), true);
        }
        for (const stranger of ["https://elsewhere.example", `${flags.origin}.elsewhere.example`, "null"]) {
            expect(`the origin for ${stranger}`, (await preflight(url, stranger)).origin, null);
        }
    }
    // What the page may read of an answer; also of a refusal.
    const answer = await fetch(`${flags.credit}/managedcredit.credit.v1.CreditCalculationService/GetPolicy`, {
        method: "POST",
        headers: { origin: flags.origin, "content-type": "application/grpc-web+proto", "x-grpc-web": "1" },
        body: new Uint8Array(5),
    });
    expect("the refusal's status", answer.headers.get("grpc-status"), String(Code.Unauthenticated));
    const exposed = (answer.headers.get("access-control-expose-headers") ?? "").toLowerCase().split(",");
    for (const header of ["grpc-status", "grpc-message", "grpc-status-details-bin", "x-request-id"]) {
        expect(`whether ${header} may be read`, exposed.map((item) => item.trim()).includes(header), true);
    }
    say(`pages of ${flags.origin} may call, those of other origins may not`);
}

/** The call is refused with this code and reason; the error, with its details. */
async function refused(contracts, what, call, code, reason) {
    const error = await call.then(() => undefined, (failure) => failure);
    if (error === undefined) throw new Difference(`${what}: it should have been refused`);
    if (!(error instanceof ConnectError)) throw error;
    expect(what, error.code, code);
    const [info] = error.findDetails(contracts.errorDetails.ErrorInfoSchema);
    expect(what, [info?.domain, info?.reason], ["managed-credit", reason]);
    say(`refused with ${Code[code]}, ${info.reason}: ${error.rawMessage}`);
    return error;
}

/** Who may work where, what the client pays, and what was done. The revisions that know it. */
async function setUp(access, activity, credit, contracts) {
    const effectiveTime = instant("2024-01-01T00:00:00Z");
    const partner = { displayName: "Web Agency", countryCode: "IT", emailDomains: ["web-agency.example"] };
    await access.createPartner({ hubId: 4301n, partner, effectiveTime });
    const other = { displayName: "Other Agency", countryCode: "DE" };
    await access.createPartner({ hubId: 4302n, partner: other, effectiveTime });
    const { CLIENT_ACCESS_MANAGER } = contracts.access.AccessRole;
    const ada = { emailAddress: ADA, displayName: "Ada Rossi", accessRole: CLIENT_ACCESS_MANAGER };
    await access.createEmployee({ parent: PARTNER, employee: ada, effectiveTime });
    const ben = { emailAddress: BEN, displayName: "Ben Weber" };
    await access.createEmployee({ parent: OTHER_PARTNER, employee: ben, effectiveTime });
    const client = { displayName: "Aurora Bikes", countryCode: "US" };
    await access.createClient({ hubId: 4311n, client, effectiveTime });
    const clientUser = { emailAddress: ADA, displayName: "Ada Rossi", permissionSet: "STANDARD" };
    await access.createClientUser({ parent: CLIENT, clientUser, effectiveTime });
    const mrr = { currencyCode: "USD", amount: "1000.01" };
    const subscription = { parent: CLIENT, subscriptionId: "main", subscription: { mrr }, effectiveTime };
    const paid = await credit.createSubscription(subscription);
    const recorded = await activity.recordActivities({
        activities: [
            {
                name: `${CLIENT}/activities/web-1`,
                emailAddress: ADA,
                occurTime: instant("2025-01-10T12:00:00Z"),
                action: { case: "catalogueAction", value: { tool: "blog", action: "publish" } },
                origin: contracts.activity.Origin.PERSON,
            },
        ],
    });
    const { case: outcome, value: verdict } = recorded.results[0].outcome;
    expect("the outcome", outcome, "verdict");
    expect("the verdict", verdict.outcome, contracts.activity.VerdictOutcome.COUNTED);
    say(`set up, and recorded work that counts until ${timestampDate(verdict.expireTime).toISOString()}`);
    return [paid.revision, recorded.revision];
}

/** What a person's page shows, by a token of her own. */
async function show(credit, atLeastRevisions) {
    const asOfTime = instant("2025-01-20T00:00:00Z");
    let [headers, trailers] = [];
    const question = { partner: PARTNER, client: CLIENT, asOfTime, atLeastRevisions };
    const { managedCredit: row } = await credit.getManagedCredit(question, {
        onHeader: (received) => (headers = received),
        onTrailer: (received) => (trailers = received),
    });
    // Money is decimal text, exact to the cent: never a floating-point number.
    expect("the credit", [row.credit.amount, row.points], ["1000.01", "10.00"]);
    expect("whether the call has an id", headers.get("x-request-id")?.length > 0, true);
    // A page reads trailers from the body of the answer: `fetch` has none.
    expect("the status in the trailers", trailers.get("grpc-status"), "0");
    const amount = `${row.credit.amount} ${row.credit.currencyCode}`;
    say(`${row.partner}, ${row.clientDisplayName}: ${amount}, ${row.points} points`);
    const page = await credit.listManagedCredits({ parent: PARTNER, pageSize: 1, asOfTime, atLeastRevisions });
    expect("the page", [page.totalSize, page.totalPoints, page.nextPageToken], [1, "10.00", ""]);
}

/** The first message of the feed that services follow, and then the end of the stream by the caller. */
async function watch(feed) {
    // No deadline: a watch goes on until its caller has enough, which the end of the loop alone does not say.
    const enough = new AbortController();
    let first;
    for await (const message of feed.watchAccess({}, { signal: enough.signal, timeoutMs: 0 })) {
        first = message;
        break;
    }
    enough.abort();
    const [change] = first?.changes ?? [];
    expect("the first position", change?.position, 1n);
    say(`watched the access feed: ${first.changes.length} changes, the first is ${change.fact.case}`);
}

async function main() {
    const names = ["access", "activity", "credit", "generated", "origin", "platform-credential", "person-credential"];
    const options = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
    const { values: flags } = parseArgs({ options });
    const missing = names.filter((name) => flags[name] === undefined);
    if (missing.length > 0) throw new Difference(`needed too: ${missing.map((name) => `--${name}`).join(", ")}`);
    const generated = (file) => require(resolve(flags.generated, `${file}_pb.js`));
    const contracts = {
        access: generated("managedcredit/access/v1/access"),
        activity: generated("managedcredit/activity/v1/activity"),
        errorDetails: generated("google/rpc/error_details"),
    };
    const services = {
        ...generated("managedcredit/access/v1/access_management_service"),
        ...generated("managedcredit/access/v1/access_feed_service"),
        ...generated("managedcredit/activity/v1/activity_tracking_service"),
        ...generated("managedcredit/credit/v1/credit_calculation_service"),
    };
    const platform = readFileSync(flags["platform-credential"], "utf8").trim();
    const person = readFileSync(flags["person-credential"], "utf8").trim();
    const client = (service, url, credential) =>
        createClient(services[service], transport(url, flags.origin, credential));
    const access = client("AccessManagementService", flags.access, platform);
    const feed = client("AccessFeedService", flags.access, platform);
    const activity = client("ActivityTrackingService", flags.activity, platform);
    const credit = client("CreditCalculationService", flags.credit, platform);
    const creditByPerson = client("CreditCalculationService", flags.credit, person);
    const creditUnproven = client("CreditCalculationService", flags.credit);

    await askAsABrowser(flags);
    const revisions = await setUp(access, activity, credit, contracts);
    await show(creditByPerson, revisions);
    await watch(feed);

    const question = { partner: PARTNER, client: CLIENT };
    await refused(
        contracts,
        "a call without proof",
        creditUnproven.getManagedCredit(question),
        Code.Unauthenticated,
        "CALLER_UNPROVEN",
    );
    await refused(
        contracts,
        "another partner's credit",
        creditByPerson.getManagedCredit({ partner: OTHER_PARTNER, client: CLIENT }),
        Code.NotFound,
        "UNKNOWN_PARTNER",
    );
    // Who acts for people says for whom in `x-actor`.
    await refused(
        contracts,
        "credit that Ben may not see",
        credit.getManagedCredit(question, { headers: { "x-actor": BEN } }),
        Code.NotFound,
        "UNKNOWN_PARTNER",
    );
    const wrong = await refused(
        contracts,
        "a request with wrong fields",
        access.createPartner({ partner: { displayName: "Nowhere", countryCode: "Italy" } }),
        Code.InvalidArgument,
        "INVALID_FIELDS",
    );
    const [{ fieldViolations }] = wrong.findDetails(contracts.errorDetails.BadRequestSchema);
    const fields = fieldViolations.map(({ field }) => field).sort();
    expect("all wrong fields", fields, ["hub_id", "partner.country_code"]);
    // An answer that does not know so much within the deadline says when to ask again.
    const ahead = { ...question, atLeastRevisions: ["servicing-1000000"] };
    const behind = await refused(
        contracts,
        "a revision that is ahead",
        creditByPerson.getManagedCredit(ahead, { timeoutMs: 10_000 }),
        Code.Unavailable,
        "FACTS_BEHIND",
    );
    const [{ retryDelay }] = behind.findDetails(contracts.errorDetails.RetryInfoSchema);
    expect("a time to ask again", retryDelay.seconds > 0n || retryDelay.nanos > 0, true);
    say("all as expected");
}

main().catch((error) => {
    const refusal = error instanceof ConnectError;
    // Where there is no answer at all, `fetch` keeps the reason to itself.
    const unreachable = error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : undefined;
    // What is none of these is a fault of this program, and has a trace.
    console.error(refusal || error instanceof Difference ? error.message : (unreachable ?? error));
    process.exitCode = 1;
});
