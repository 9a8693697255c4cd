/*
 * The main job of a managed-credit client in Node, by gRPC, against a running system that wants proofs.
 *
 * It needs the packages of package.json (`npm ci`; NODE_PATH where they are elsewhere) and reads the contracts when it
 * starts, so that nothing is generated:
 *
 *     node tests/clients/node/grpc.js --access localhost:50051 --activity localhost:50052 --credit localhost:50053 \
 *         --proto proto --authorities authority.crt --platform-credential platform.key --person-credential token
 *
 * The platform's credential is a preshared key or a token; the person's is a token for ADA, below. It says what it
 * did, and ends with exit code 1 and a sentence at the first answer that is not as expected. It writes partners 4201 and
 * 4202 and clients 4211 and 4212, which are not expected to exist.
 */
"use strict";

const { randomUUID } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { isDeepStrictEqual, parseArgs } = require("node:util");
const grpc = require("@grpc/grpc-js");
const protoLoader = require("@grpc/proto-loader");

const [PARTNER, OTHER_PARTNER] = ["partners/4201", "partners/4202"];
const [CLIENT, SECOND_CLIENT, UNKNOWN_CLIENT] = ["clients/4211", "clients/4212", "clients/4219"];
const [ADA, BEN] = ["ada@node-agency.example", "ben@contractor.example"];
// Every call has a deadline; the services honour it and pass it on.
const SECONDS = 30;

/** An answer that is not as expected. */
class Difference extends Error {}

function expect(what, found, expected) {
    if (!isDeepStrictEqual(found, expected)) {
        throw new Difference(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
    }
}

const say = (text) => console.log(text);

/** A time of the contracts, from `2025-01-10T12:00:00Z`. Whole seconds are enough here. */
const instant = (text) => ({ seconds: String(Date.parse(text) / 1000), nanos: 0 });

/** Messages as plain objects: names in camelCase, enumerations by name, 64-bit numbers exact, as text. */
function readContracts(folder) {
    const services = [
        "managedcredit/access/v1/access_management_service.proto",
        "managedcredit/access/v1/access_feed_service.proto",
        "managedcredit/activity/v1/activity_tracking_service.proto",
        "managedcredit/credit/v1/credit_calculation_service.proto",
        // The details of errors.
        "google/rpc/error_details.proto",
        "google/rpc/status.proto",
    ];
    const options = { includeDirs: [folder], enums: String, longs: String, defaults: true, oneofs: true };
    return protoLoader.loadSync(services, options);
}

/** A client of one service that believes these authorities; with a credential, every call of it is proven by it. */
function connect(contracts, area, service, address, authorities, credential) {
    let proof = grpc.credentials.createSsl(authorities);
    if (credential !== undefined) {
        // A token or a preshared key: both are sent as `authorization: Bearer`.
        const bearer = grpc.credentials.createFromMetadataGenerator((_, done) => {
            const metadata = new grpc.Metadata();
            metadata.set("authorization", `Bearer ${credential}`);
            done(null, metadata);
        });
        proof = grpc.credentials.combineChannelCredentials(proof, bearer);
    }
    const Client = grpc.loadPackageDefinition(contracts).managedcredit[area].v1[service];
    return new Client(address, proof);
}

const deadline = (seconds) => ({ deadline: Date.now() + seconds * 1000 });

/** A call with one answer, as a promise; who acts for people says for whom. */
function call(client, method, request, { seconds = SECONDS, actor } = {}) {
    const metadata = new grpc.Metadata();
    if (actor !== undefined) metadata.set("x-actor", actor);
    return new Promise((resolve, reject) => {
        const done = (error, answer) => (error ? reject(error) : resolve(answer));
        client[method](request, metadata, deadline(seconds), done);
    });
}

/** The three services, called by the platform, and credit-calculation by a person too. */
class Programme {
    constructor(flags) {
        this.contracts = readContracts(flags.proto);
        const authorities = readFileSync(flags.authorities);
        const platform = readFileSync(flags["platform-credential"], "utf8").trim();
        const person = readFileSync(flags["person-credential"], "utf8").trim();
        const to = (area, service, credential) =>
            connect(this.contracts, area, service, flags[area], authorities, credential);
        this.access = to("access", "AccessManagementService", platform);
        this.feed = to("access", "AccessFeedService", platform);
        this.activity = to("activity", "ActivityTrackingService", platform);
        this.credit = to("credit", "CreditCalculationService", platform);
        this.creditByPerson = to("credit", "CreditCalculationService", person);
        this.creditUnproven = to("credit", "CreditCalculationService");
    }

    close() {
        const { access, feed, activity, credit, creditByPerson, creditUnproven } = this;
        for (const client of [access, feed, activity, credit, creditByPerson, creditUnproven]) client.close();
    }

    /** The call is refused with this code and reason; the details of the error, by their type. */
    async refused(what, answer, code, reason) {
        const error = await answer.then(() => undefined, (failure) => failure);
        if (error === undefined) throw new Difference(`${what}: it should have been refused`);
        // What is no answer of the service has no metadata.
        const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
        if (bytes === undefined) throw new Difference(`${what}: the error has no details: ${error.message}`);
        const status = this.contracts["google.rpc.Status"].deserialize(bytes);
        const details = new Map();
        for (const { type_url: typeUrl, value } of status.details) {
            const type = typeUrl.split("/").pop();
            details.set(type, this.contracts[type].deserialize(value));
        }
        const info = details.get("google.rpc.ErrorInfo");
        expect(what, [error.code, info.domain, info.reason], [code, "managed-credit", reason]);
        say(`refused with ${grpc.status[code]}, ${info.reason}: ${status.message}`);
        return details;
    }
}

/** Who may work where, and what the client pays. The revision of the last fact. */
async function setUp(programme) {
    const effectiveTime = instant("2024-01-01T00:00:00Z");
    // A request id makes a write safe to repeat: the repeat gets the first answer.
    const creation = {
        hubId: "4201",
        partner: { displayName: "Node Agency", countryCode: "IT", emailDomains: ["node-agency.example"] },
        effectiveTime,
        requestId: randomUUID(),
    };
    const first = await call(programme.access, "createPartner", creation);
    expect("the partner's name", first.partner.name, PARTNER);
    expect("the answer to a repeat", await call(programme.access, "createPartner", creation), first);
    const other = { displayName: "Other Agency", countryCode: "DE" };
    await call(programme.access, "createPartner", { hubId: "4202", partner: other, effectiveTime });
    const { employee: ada } = await call(programme.access, "createEmployee", {
        parent: PARTNER,
        employee: { emailAddress: ADA, displayName: "Ada Rossi", accessRole: "ACCESS_ROLE_CLIENT_ACCESS_MANAGER" },
        effectiveTime,
    });
    expect("whether Ada's domain is verified", ada.domainVerified, true);
    const { employee: ben } = await call(programme.access, "createEmployee", {
        parent: OTHER_PARTNER,
        employee: { emailAddress: BEN, displayName: "Ben Weber" },
        effectiveTime,
    });
    for (const [hubId, displayName] of [["4211", "Aurora Bikes"], ["4212", "Borealis Tea"]]) {
        const client = { displayName, countryCode: "US" };
        await call(programme.access, "createClient", { hubId, client, effectiveTime });
    }
    for (const [parent, emailAddress] of [[CLIENT, ADA], [CLIENT, BEN], [SECOND_CLIENT, ADA]]) {
        const clientUser = { emailAddress, displayName: "A user", permissionSet: "STANDARD" };
        const added = await call(programme.access, "createClientUser", { parent, clientUser, effectiveTime });
        expect(`the state of ${emailAddress}`, added.clientUser.state, "CLIENT_USER_STATE_ACTIVE");
    }
    say("created 2 partners, 2 employees, 2 clients and 3 client users");

    // Ada is assigned by her domain. Ben's address is in no domain of his partner: his clients are linked by hand, and
    // a client that nobody knows is that item's error.
    const linked = await call(programme.access, "batchLinkClients", {
        employee: ben.name,
        clients: [CLIENT, UNKNOWN_CLIENT],
        effectiveTime,
    });
    expect("the results", linked.results.map((result) => result.outcome), ["assignment", "error"]);
    expect("the assignment", linked.results[0].assignment.state, "ASSIGNMENT_STATE_EFFECTIVE");
    expect("the item's error", linked.results[1].error.code, grpc.status.NOT_FOUND);
    say(`linked ${CLIENT}; ${UNKNOWN_CLIENT}: ${linked.results[1].error.message}`);

    // Money is decimal text, exact to the cent: never a floating-point number.
    const mrr = { currencyCode: "USD", amount: "1000.01" };
    const paid = await call(programme.credit, "createSubscription", {
        parent: CLIENT,
        subscriptionId: "main",
        subscription: { mrr },
        effectiveTime,
    });
    expect("what the client pays", paid.subscription.mrr, mrr);
    say(`${paid.subscription.name} pays ${paid.subscription.mrr.amount} ${paid.subscription.mrr.currencyCode}`);
    return paid.revision;
}

/** A published blog post. */
const work = (id, emailAddress, time) => ({
    name: `${CLIENT}/activities/${id}`,
    emailAddress,
    occurTime: time && instant(time),
    catalogueAction: { tool: "blog", action: "publish" },
    origin: "ORIGIN_PERSON",
});

/** Records what people did: an item each is counted, not counted, and wrong. The revision that knows it. */
async function record(programme) {
    const activities = [
        work("node-1", ADA, "2025-01-10T12:00:00Z"),
        work("node-2", "nobody@elsewhere.example", "2025-01-11T12:00:00Z"),
        work("node-3", ADA),
    ];
    const requestId = randomUUID();
    const recorded = await call(programme.activity, "recordActivities", { activities, requestId });
    const [counted, notCounted, wrong] = recorded.results;
    expect("the verdict", counted.verdict.outcome, "VERDICT_OUTCOME_COUNTED");
    expect("its expiry", counted.verdict.expireTime, instant("2025-03-11T12:00:00Z"));
    expect("the verdict", notCounted.verdict.reason, "NOT_COUNTED_REASON_UNKNOWN_EMPLOYEE");
    expect("the wrong item", wrong.error.code, grpc.status.INVALID_ARGUMENT);
    const until = new Date(Number(counted.verdict.expireTime.seconds) * 1000).toISOString();
    say(`recorded 3 activities: counted until ${until}; not counted; ${wrong.error.message}`);
    const again = await call(programme.activity, "recordActivities", { activities, requestId });
    expect("the answer to a repeat", again, recorded);
    await programme.refused(
        "another content by the same request id",
        call(programme.activity, "recordActivities", { activities: activities.slice(0, 2), requestId }),
        grpc.status.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
    );
    return recorded.revision;
}

/** What the client brings a partner, by an answer that knows these revisions. */
async function managedCredit(programme, partner, atLeastRevisions) {
    const asOfTime = instant("2025-01-20T00:00:00Z");
    const question = { partner, client: CLIENT, asOfTime, atLeastRevisions };
    const { managedCredit: row } = await call(programme.credit, "getManagedCredit", question);
    say(`${partner}, ${row.clientDisplayName}: ${row.credit.amount} ${row.credit.currencyCode}, ${row.points} points`);
    return row;
}

/** The whole credit, and then equal parts: the cent that is left over goes to the older relationship. */
async function share(programme, before) {
    const alone = await managedCredit(programme, PARTNER, before);
    expect("the credit", [alone.credit.amount, alone.points], ["1000.01", "10.00"]);
    expect("the state", alone.state, "CREDIT_STATE_ACTIVE");
    const activities = [work("node-4", BEN, "2025-01-15T12:00:00Z")];
    const recorded = await call(programme.activity, "recordActivities", { activities });
    expect("Ben's verdict", recorded.results[0].verdict.outcome, "VERDICT_OUTCOME_COUNTED");
    const revisions = [...before, recorded.revision];
    for (const [partner, amount] of [[PARTNER, "500.01"], [OTHER_PARTNER, "500.00"]]) {
        const part = await managedCredit(programme, partner, revisions);
        expect("the part", [part.credit.amount, part.points, part.servicingPartners], [amount, "5.00", 2]);
    }
    return revisions;
}

/** A person asks with a token of her own: why, and for all of her partner's clients, page by page. */
async function ask(programme, atLeastRevisions) {
    const { explanation } = await call(programme.creditByPerson, "explainCredit", {
        partner: PARTNER,
        client: CLIENT,
        asOfTime: instant("2025-03-20T00:00:00Z"),
        atLeastRevisions,
    });
    expect("the reason", explanation.managedCredit.noCreditReason, "NO_CREDIT_REASON_LAPSED");
    expect("when it was lost", explanation.loss.loseTime, instant("2025-03-11T12:00:00Z"));
    say(`why: ${explanation.headline}`);
    const request = { parent: PARTNER, pageSize: 1, asOfTime: instant("2025-01-20T00:00:00Z"), atLeastRevisions };
    const clients = [];
    let page;
    do {
        const question = { ...request, pageToken: page?.nextPageToken };
        page = await call(programme.creditByPerson, "listManagedCredits", question);
        expect("the totals of every page", [page.totalSize, page.totalPoints], [2, "5.00"]);
        clients.push(...page.managedCredits.map((row) => row.client));
    } while (page.nextPageToken !== "");
    expect("the clients", clients, [CLIENT, SECOND_CLIENT]);
    say(`listed ${clients.length} clients, one a page: ${page.totalPoints} points`);
}

/** The first message of the feed that services follow, and then the end of the stream by the caller. */
async function watch(programme) {
    const stream = programme.feed.watchAccess({}, deadline(SECONDS));
    const first = await new Promise((resolve, reject) => {
        stream.once("data", resolve).once("error", reject).once("end", resolve);
    });
    // What was cancelled ends with an error, which is no news.
    stream.on("error", () => {}).cancel();
    const [change] = first?.changes ?? [];
    expect("the first position", change?.position, "1");
    say(`watched the access feed: ${first.changes.length} changes, the first is ${change.fact}`);
}

/** What is refused says why, in a form for programs. */
async function beRefused(programme) {
    await programme.refused(
        "a call without proof",
        call(programme.creditUnproven, "getPolicy", {}),
        grpc.status.UNAUTHENTICATED,
        "CALLER_UNPROVEN",
    );
    const wrong = await programme.refused(
        "a request with wrong fields",
        call(programme.access, "createPartner", { partner: { displayName: "Nowhere", countryCode: "Italy" } }),
        grpc.status.INVALID_ARGUMENT,
        "INVALID_FIELDS",
    );
    const violations = wrong.get("google.rpc.BadRequest").fieldViolations;
    expect("all wrong fields", violations.map(({ field }) => field).sort(), ["hub_id", "partner.country_code"]);
    for (const { field, description } of violations) say(`  ${field}: ${description}`);

    // What somebody may not see does not exist for them.
    const question = { partner: PARTNER, client: CLIENT };
    await programme.refused(
        "another partner's credit",
        call(programme.credit, "getManagedCredit", question, { actor: BEN }),
        grpc.status.NOT_FOUND,
        "UNKNOWN_PARTNER",
    );

    // An answer that does not know so much within the deadline says when to ask again.
    const ahead = { ...question, atLeastRevisions: ["servicing-1000000"] };
    const behind = await programme.refused(
        "a revision that is ahead",
        call(programme.credit, "getManagedCredit", ahead, { seconds: 10 }),
        grpc.status.UNAVAILABLE,
        "FACTS_BEHIND",
    );
    const { seconds, nanos } = behind.get("google.rpc.RetryInfo").retryDelay;
    const milliseconds = Number(seconds) * 1000 + nanos / 1_000_000;
    expect("a time to ask again", milliseconds > 0, true);
    say(`  to be asked again after ${milliseconds} ms`);
}

async function main() {
    const names = ["access", "activity", "credit", "proto", "authorities", "platform-credential", "person-credential"];
    const options = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
    const { values: flags } = parseArgs({ options });
    const missing = names.filter((name) => flags[name] === undefined);
    if (missing.length > 0) throw new Difference(`needed too: ${missing.map((name) => `--${name}`).join(", ")}`);
    const programme = new Programme(flags);
    try {
        const paid = await setUp(programme);
        const recorded = await record(programme);
        const revisions = await share(programme, [paid, recorded]);
        await ask(programme, revisions);
        await watch(programme);
        await beRefused(programme);
    } finally {
        programme.close();
    }
    say("all as expected");
}

main().catch((error) => {
    const refusal = error.details !== undefined;
    // What is neither is a fault of this program, and has a trace.
    console.error(refusal || error instanceof Difference ? error.message : error);
    process.exitCode = 1;
});
