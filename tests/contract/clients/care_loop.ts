/**
 * The care loop, driven through the types that were generated from the API's description.
 *
 * Not a test by itself: `test_clients.py` generates the types, compiles this strictly, runs it as a
 * program of its own and answers when it asks for the survey that came by mail.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { stdin } from "node:process";
import { createInterface } from "node:readline/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];
type Problem = Schemas["Problem"];
type Api = ReturnType<typeof as>;
type Answer<T> = { data?: T; error?: unknown; response: Response };

const baseUrl = process.env["CARELOOP_URL"]!;
const scopes = [
  "customers:read", "customers:write", "orders:write", "segments:read", "tickets:read",
  "tickets:write", "surveys:read", "tasks:read", "reports:read", "shopper_tokens:write",
  "pii:read",
];
const score = 2;

function as(credential?: string) {
  const headers: Record<string, string> = {};
  if (credential !== undefined) headers["Authorization"] = `Bearer ${credential}`;
  return createClient<paths>({ baseUrl, headers });
}

/** What was asked for; a problem ends the program. */
async function told<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (data === undefined) {
    throw new Error(`${response.status} ${response.url}: ${JSON.stringify(error)}`);
  }
  return data;
}

async function until<T>(
  look: () => Promise<T>, accept: (seen: T) => boolean, what: string,
): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const seen = await look();
    if (accept(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`${what}: not in time: ${JSON.stringify(seen)}`);
    await new Promise((resume) => setTimeout(resume, 50));
  }
}

/** A shop with an owner, and a key with the scopes that the job needs. */
async function openShop(): Promise<Api> {
  const slug = `sen-xanh-${randomUUID().slice(0, 8)}`;
  const email = `owner@${slug}.example.com`;
  const password = randomUUID();
  await told(as(process.env["CARELOOP_OPERATOR_KEY"]).POST("/v1/tenants", {
    body: { name: "Sen Xanh", slug, owner: { name: "Lê Quang Vinh", email, password } },
  }));
  const session = await told(as().POST("/v1/auth/login", { body: { email, password } }));
  const key = await told(as(session.access_token).POST("/v1/api-keys", {
    body: { name: "Generated client", scopes },
  }));
  return as(key.key);
}

async function isMember(api: Api, customer_id: string, segment: string): Promise<void> {
  const look = async () => {
    const asked = api.GET("/v1/segment-memberships", { params: { query: { customer_id } } });
    const { error } = await asked;
    // What happened there is not known here yet.
    if (error?.code === "customer_not_found") return [];
    return (await told(asked)).data;
  };
  const isIt = (membership: Schemas["MembershipRead"]) => membership.segment_key === segment;
  await until(look, (found) => found.some(isIt), `is in ${segment}`);
}

/** A customer with a paid order, who is in the segment of new customers. */
async function knowACustomer(api: Api): Promise<Schemas["CustomerRead"]> {
  await until(
    () => told(api.GET("/v1/segments")), (page) => page.data.length >= 2, "segments are there",
  );
  const body: Schemas["CustomerCreate"] = {
    name: "Phạm Thu Hà",
    email: `ha.${randomUUID().slice(0, 8)}@example.com`,
    email_verified: true,
  };
  const params = { header: { "Idempotency-Key": randomUUID() } };
  const first = await told(api.POST("/v1/customers", { body, params }));
  const again = await api.POST("/v1/customers", { body, params });
  assert.equal(again.data?.id, first.id, "the same key has one effect");
  assert.equal(again.response.headers.get("idempotent-replayed"), "true");
  const order = await told(api.POST("/v1/orders", {
    body: {
      customer_id: first.id,
      external_id: `R-${randomUUID().slice(0, 8)}`,
      financial_status: "paid",
      total: { amount: "350000", currency: "VND" },
    },
  }));
  assert.equal(order.total.amount, "350000");
  await isMember(api, first.id, "new_customers");
  const path = { customer_id: first.id };
  const read = await api.GET("/v1/customers/{customer_id}", { params: { path } });
  const etag = read.response.headers.get("etag") ?? "";
  const guarded = { path, header: { "if-match": etag } };
  const changed = await told(
    api.PATCH("/v1/customers/{customer_id}", { params: guarded, body: { city: "Huế" } }),
  );
  assert.equal(changed.city, "Huế");
  const stale = await api.PATCH("/v1/customers/{customer_id}", {
    params: guarded, body: { city: "Vinh" },
  });
  const problem: Problem | undefined = stale.error;
  assert.equal(problem?.code, "stale_version", "an error is typed, too");
  return first;
}

/** The customer complains by their own token; staff answers and resolves. */
async function care(
  api: Api, customer: Schemas["CustomerRead"],
): Promise<Schemas["TicketRead"]> {
  const { token } = await told(
    api.POST("/v1/shopper-tokens", { body: { customer_id: customer.id } }),
  );
  const ticket = await told(as(token).POST("/v1/tickets", {
    body: { subject: "Áo bị lỗi đường may", text: "Áo bị bung chỉ ở vai.", type: "complaint" },
  }));
  const path = { ticket_id: ticket.id };
  await until(
    () => told(api.GET("/v1/tickets/{ticket_id}", { params: { path } })),
    (seen) => seen.assignee_id !== null,
    "the ticket is assigned",
  );
  await told(api.POST("/v1/tickets/{ticket_id}/replies", {
    params: { path }, body: { text: "Shop xin lỗi và sẽ đổi áo mới cho chị." },
  }));
  await told(api.POST("/v1/tickets/{ticket_id}/resolution", {
    params: { path }, body: { kind: "exchange", reason: "Lỗi may" },
  }));
  return ticket;
}

/** The survey is answered from its link; somebody has to follow up. */
async function askHowItWent(
  api: Api, customer: Schemas["CustomerRead"], ticket: Schemas["TicketRead"],
): Promise<void> {
  console.log(`survey of ${customer.email}`);
  const lines = createInterface({ input: stdin });
  const token = await lines.question("");
  lines.close();
  await told(as().POST("/pages/surveys/{token}", {
    params: { path: { token } },
    body: { score: String(score), comment: "Đường may bị lỗi." },
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    parseAs: "text",
  }));
  const responses = await told(
    api.GET("/v1/survey-responses", { params: { query: { ticket_id: ticket.id } } }),
  );
  assert.deepEqual(responses.data.map((response) => response.score), [score]);
  await isMember(api, customer.id, "unhappy");
  await until(
    () => told(api.GET("/v1/tasks", { params: { query: { customer_id: customer.id } } })),
    (page) => page.data.length > 0,
    "there is a task to follow up",
  );
}

/** The timeline has it all, and the report adds up. */
async function addItUp(api: Api, customer: Schemas["CustomerRead"]): Promise<void> {
  const params = { path: { customer_id: customer.id } };
  await until(
    () => told(api.GET("/v1/customers/{customer_id}/timeline", { params })),
    (page) => {
      const sources = new Set<string>(page.data.map((entry) => entry.source));
      return ["customer", "segmentation", "support_ticket"].every((part) => sources.has(part));
    },
    "the timeline tells it",
  );
  await until(
    () => told(api.GET("/v1/reports/care-loop")),
    (report) => report.reconciliation.every((equation) => equation.ok),
    "the report adds up",
  );
}

const api = await openShop();
const customer = await knowACustomer(api);
const ticket = await care(api, customer);
await askHowItWent(api, customer, ticket);
await addItUp(api, customer);
console.log("done");
