"""The whole care loop, told over the public API on one shopper's deliveries, mails and answers."""

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import httpx

from cli.demo.client import Api, check, until
from cli.demo.narration import Script
from cli.demo.payloads import (
    Delivery,
    Shopper,
    shopify_customer_created,
    shopify_order_created,
    woocommerce_guest_order,
    woocommerce_order_created,
)
from cli.demo.shop import Shop, open_shop

Json = dict[str, Any]
Mailbox = Callable[[], Sequence[EmailMessage]]
AnswerSurvey = Callable[[str], Awaitable[None]]

SCORE = 2
COMMENT = "Áo đẹp nhưng đường may bị lỗi."


class CareLoop:
    """One run of the story. Each method is a chapter; `tell` runs them in order."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        operator_key: str,
        mailbox: Mailbox,
        script: Script,
        answer_survey: AnswerSurvey | None = None,
    ) -> None:
        self._http = http
        self._operator_key = operator_key
        self._mailbox = mailbox
        self._script = script
        self._answer_survey = answer_survey or self._answer_survey_by_form
        token = secrets.token_hex(4)
        self.shopper = Shopper(
            email=f"huong.{token}@example.com",
            shopify_id=7_000_000_000_000 + secrets.randbelow(10**9),
        )
        self._slug = f"hoa-sen-{token}"
        self._sent_at = 0.0
        self.shop: Shop
        self.api: Api
        self.customer: Json = {}
        self.ticket: Json = {}
        self.survey_url = ""

    async def tell(self) -> None:
        """Run every chapter. Raises StoryFailed (or what else went wrong) at the first fault."""
        await self.open_the_shop()
        await self.receive_deliveries()
        await self.know_the_customer()
        await self.group_and_thank()
        await self.hear_the_complaint()
        await self.answer_the_complaint()
        await self.ask_how_it_went()
        await self.respect_a_no()
        await self.tell_it_in_order()
        await self.add_it_up()

    async def open_the_shop(self) -> None:
        """A shop with an owner, two agents, an API key and two platforms."""
        async with self._script.step("A shop opens") as step:
            self.shop = await open_shop(
                self._http, operator_key=self._operator_key, name="Hoa Sen", slug=self._slug
            )
            self.api = Api(self._http, self.shop.api_key)
            for name in ("Lan", "Bình"):
                await self.api.post("/v1/staff", self._agent(name))
            await until(
                lambda: self.api.get("/v1/automations"),
                lambda page: page["data"],
                what="the shop's defaults are there in every service",
            )
            await until(
                lambda: self.api.get("/v1/queues"),
                lambda page: any(len(q["members"]) >= 3 for q in page["data"]),
                what="the agents are in the queue",
            )
            await until(
                lambda: self.api.get("/v1/segments"),
                lambda page: len(page["data"]) >= 2,
                what="the default segments are there",
            )
            step.saw(tenant=self.shop.tenant_id, owner=self.shop.owner_email)

    async def receive_deliveries(self) -> None:
        """Signed deliveries are kept once; a forged one is not kept at all."""
        async with self._script.step("Shopify and WooCommerce deliver") as step:
            shopify = self.shop.connection("shopify").secret
            woo = self.shop.connection("woocommerce").secret
            await self._deliver(shopify_customer_created(self.shopper, shopify))
            order = shopify_order_created(self.shopper, shopify, order_id=820_982_911_946)
            self._sent_at = time.perf_counter()
            await self._deliver(order)
            step.took("the order was acknowledged", time.perf_counter() - self._sent_at)
            await self._deliver(order)
            await self._deliver(woocommerce_order_created(self.shopper, woo, order_id=901))
            await self._deliver(woocommerce_guest_order(self.shopper, woo, order_id=902))
            await self._deliver_ping()
            await self._refuse_forged(order)
            step.saw(deliveries="4, one of them twice, a ping, and a forgery that was refused")

    async def know_the_customer(self) -> None:
        """One person from two platforms; a guest's claim is a candidate, not a link."""
        async with self._script.step("The customer is known") as step:
            found = await until(
                lambda: self.api.get("/v1/customers", q=self.shopper.email),
                lambda page: page["data"] and page["data"][0]["orders_count"] == 2,
                what="one customer with two orders",
            )
            step.took("known with both orders", time.perf_counter() - self._sent_at)
            check(len(found["data"]) == 1, "the same address is one customer")
            self.customer = found["data"][0]
            check(self.customer["name"] == self.shopper.name, "the name is composed (NFC)")
            check(self.customer["phone"] == "+84912345678", "the phone is E.164")
            check(self.customer["stage"] == "customer", "a paid order makes a customer")
            accentless = await self.api.get("/v1/customers", q="nguyen thi huong")
            check(self._is_among(accentless["data"]), "found without accents")
            duplicates = await until(
                lambda: self.api.get("/v1/duplicates"),
                lambda page: page["data"],
                what="the guest's order is a duplicate candidate",
            )
            step.saw(
                customer=self.customer["id"],
                code=self.customer["code"],
                name=self.customer["name"],
                phone=self.customer["phone"],
                total_spent=self.customer["total_spent"],
                duplicate_candidate=duplicates["data"][0]["id"],
            )

    async def group_and_thank(self) -> None:
        """In the segment of new customers, and thanked by e-mail through a real SMTP server."""
        async with self._script.step("Grouped and thanked") as step:
            membership = await self._membership("new_customers")
            step.took("in the segment new_customers", time.perf_counter() - self._sent_at)
            mail = await self._mail_with("List-Unsubscribe")
            step.took("the thank-you message was delivered", time.perf_counter() - self._sent_at)
            check(mail.get_content_type() == "multipart/alternative", "text and HTML parts")
            messages = await until(
                lambda: self.api.get("/v1/messages", customer_id=self.customer["id"]),
                lambda page: page["data"] and page["data"][-1]["status"] == "sent",
                what="the ledger says sent",
            )
            message = messages["data"][-1]
            decision = await self.api.get(f"/v1/messages/{message['id']}/decision")
            check(decision, "the decision is explained")
            step.saw(
                segment=membership["segment_key"],
                subject=mail["Subject"],
                message=message["id"],
                message_class=message["message_class"],
            )

    async def hear_the_complaint(self) -> None:
        """A ticket with a shopper token, and a message that came in on another channel."""
        async with self._script.step("The shopper complains") as step:
            token = await self.api.post(
                "/v1/shopper-tokens", {"customer_id": self.customer["id"], "ttl": 600}
            )
            shopper = Api(self._http, token["token"])
            opened = await shopper.post(
                "/v1/tickets",
                {
                    "subject": "Áo bị lỗi đường may",
                    "text": "Đơn hàng #1001: áo bị bung chỉ ở vai, mong shop đổi giúp.",
                    "type": "complaint",
                    "urgency": "high",
                },
            )
            self.ticket = await until(
                lambda: self.api.get(f"/v1/tickets/{opened['id']}"),
                lambda ticket: ticket["assignee_id"],
                what="the ticket is assigned",
            )
            check(self.ticket["resolution_due_at"], "due times are set")
            inbound = await self.api.post(
                "/v1/inbound-messages",
                {
                    "channel": "zalo",
                    "external_id": f"zalo-{secrets.token_hex(6)}",
                    "customer_id": self.customer["id"],
                    "text": "Shop ơi, đơn WooCommerce của mình bao giờ giao?",
                },
            )
            tickets = await until(
                lambda: self.api.get("/v1/tickets", customer_id=self.customer["id"]),
                lambda page: len(page["data"]) == 2,
                what="the inbound message is a ticket of its own",
            )
            check({t["channel"] for t in tickets["data"]} == {"web", "zalo"}, "by channel")
            step.saw(
                ticket=self.ticket["id"],
                code=self.ticket["code"],
                priority=self.ticket["priority"],
                assignee=self.ticket["assignee_id"],
                first_response_due=self.ticket["first_response_due_at"],
                resolution_due=self.ticket["resolution_due_at"],
                inbound=inbound["id"],
            )

    async def answer_the_complaint(self) -> None:
        """The reply goes out, the note stays, the resolution is kept."""
        async with self._script.step("The agent answers and resolves") as step:
            path = f"/v1/tickets/{self.ticket['id']}"
            reply, note = "Shop xin lỗi và sẽ đổi áo mới cho chị.", "Khách VIP, ưu tiên giao nhanh."
            sent_at = time.perf_counter()
            await self.api.post(f"{path}/replies", {"text": reply})
            mail = await self._mail_with("Subject", containing=self.ticket["code"], body=reply)
            step.took("the reply was delivered", time.perf_counter() - sent_at)
            await self.api.post(f"{path}/notes", {"text": note})
            await self.api.post(
                f"{path}/resolution",
                {"kind": "exchange", "result": "positive", "reason": "Lỗi may"},
            )
            resolved = await self.api.get(path)
            check(resolved["status"] == "resolved", "the ticket is resolved")
            check(not self._in_any_mail(note), "a note never leaves")
            step.saw(subject=mail["Subject"], first_responded=resolved["first_responded_at"])

    async def ask_how_it_went(self) -> None:
        """The survey is answered once; the customer is unhappy; the lead has a task."""
        async with self._script.step("The survey is answered 2 of 5") as step:
            self.survey_url = await until(
                self._find_survey_url, bool, what="the invitation arrived by mail"
            )
            answered_at = time.perf_counter()
            await self._answer_survey(self.survey_url)
            await self._membership("unhappy")
            step.took("in the segment unhappy", time.perf_counter() - answered_at)
            tasks = await until(
                lambda: self.api.get("/v1/tasks", customer_id=self.customer["id"]),
                lambda page: page["data"],
                what="the lead has a follow-up task",
            )
            step.took("a follow-up task exists", time.perf_counter() - answered_at)
            responses = await self.api.get("/v1/survey-responses", ticket_id=self.ticket["id"])
            scores = [response["score"] for response in responses["data"]]
            check(scores == [SCORE], "the score is stored once")
            check(len(tasks["data"]) == 1, "one task for one answer")
            step.saw(task=tasks["data"][0]["id"], task_title=tasks["data"][0]["title"])

    async def respect_a_no(self) -> None:
        """One click in the mail program unsubscribes; opening the page does not."""
        async with self._script.step("One click unsubscribes") as step:
            mail = await self._mail_with("List-Unsubscribe")
            url = re.findall(r"<(https?://[^>]+)>", mail["List-Unsubscribe"])[0]
            page = await self._http.get(url)
            check(page.is_success, "the page opens")
            before = await self.api.get("/v1/suppressions")
            check(before["data"] == [], "opening the page unsubscribes nobody")
            done = await self._http.post(url, data={"List-Unsubscribe": "One-Click"})
            check(done.is_success, "one click is enough")
            after = await self.api.get("/v1/suppressions")
            check(len(after["data"]) == 1, "the address is suppressed at once")
            step.saw(suppression=after["data"][0]["id"])

    async def tell_it_in_order(self) -> None:
        """The customer's timeline has it all, in order, from every service."""
        async with self._script.step("The timeline tells it in order") as step:
            needed = {"customer", "segmentation", "support_ticket", "messaging"}
            entries = await until(
                self._timeline,
                lambda found: (
                    {entry["source"] for entry in found} >= needed
                    and any("survey" in entry["type"] for entry in found)
                    and any(
                        "unsubscribed" in entry["type"] or "consent" in entry["type"]
                        for entry in found
                    )
                ),
                what="every service has told its part",
            )
            times = [datetime.fromisoformat(entry["occurred_at"]) for entry in entries]
            check(times == sorted(times, reverse=True), "newest first")
            step.saw(entries=len(entries), story=" → ".join(e["type"] for e in reversed(entries)))

    async def add_it_up(self) -> None:
        """The report adds up, and every equation in it holds."""
        async with self._script.step("The report adds it up") as step:
            report = await until(
                lambda: self.api.get("/v1/reports/care-loop"),
                lambda found: all(equation["ok"] for equation in found["reconciliation"]),
                what="every equation of the report holds",
            )
            check(report["reconciliation"], "there are equations")
            for equation in report["reconciliation"]:
                step.saw(**{equation["name"]: f"{equation['left']} = {equation['right']}"})

    async def _deliver(self, delivery: Delivery) -> None:
        connection = self.shop.connection(delivery.platform)
        answer = await self._http.post(
            f"/v1/hooks/{delivery.platform}/{connection.id}",
            content=delivery.body,
            headers=delivery.headers,
        )
        check(answer.is_success, f"a delivery was answered {answer.status_code}: {answer.text}")

    async def _deliver_ping(self) -> None:
        connection = self.shop.connection("woocommerce")
        answer = await self._http.post(
            f"/v1/hooks/woocommerce/{connection.id}", data={"webhook_id": "12"}
        )
        check(answer.status_code == 200, "WooCommerce's unsigned ping is accepted")

    async def _refuse_forged(self, delivery: Delivery) -> None:
        connection = self.shop.connection(delivery.platform)
        answer = await self._http.post(
            f"/v1/hooks/{delivery.platform}/{connection.id}",
            content=delivery.body + b" ",
            headers=delivery.headers,
        )
        check(answer.status_code == 401, "a forged delivery is refused")

    def _agent(self, name: str) -> Json:
        address = f"{secrets.token_hex(4)}@{self._slug}.example.com"
        password = secrets.token_urlsafe(12)
        return {"name": name, "email": address, "password": password, "role": "agent"}

    def _is_among(self, customers: list[Json]) -> bool:
        return any(customer["id"] == self.customer["id"] for customer in customers)

    async def _membership(self, key: str) -> Json:
        page = await until(
            lambda: self.api.get("/v1/segment-memberships", customer_id=self.customer["id"]),
            lambda found: any(m["segment_key"] == key for m in found["data"]),
            what=f"the customer is in the segment {key}",
        )
        return next(m for m in page["data"] if m["segment_key"] == key)

    def _own_mails(self) -> list[EmailMessage]:
        return [mail for mail in self._mailbox() if self.shopper.email in str(mail["To"])]

    async def _mail_with(
        self, header: str, *, containing: str = "", body: str = ""
    ) -> EmailMessage:
        async def look() -> list[EmailMessage]:
            return [
                mail
                for mail in self._own_mails()
                if mail[header] and containing in str(mail[header]) and body in _text_of(mail)
            ]

        return (await until(look, bool, what=f"a mail with {header} {containing}"))[0]

    def _in_any_mail(self, text: str) -> bool:
        return any(text in _text_of(mail) for mail in self._own_mails())

    async def _find_survey_url(self) -> str:
        for mail in self._own_mails():
            found = re.search(r"https?://\S+/pages/surveys/[\w-]+", _text_of(mail))
            if found:
                return found.group()
        return ""

    async def _answer_survey_by_form(self, url: str) -> None:
        page = await self._http.get(url, headers={"Accept-Language": "vi"})
        check(page.is_success, "the survey page opens")
        answer = await self._http.post(url, data={"score": str(SCORE), "comment": COMMENT})
        check(answer.is_success, f"the answer was taken: {answer.status_code}")

    async def _timeline(self) -> list[Json]:
        path = f"/v1/customers/{self.customer['id']}/timeline"
        entries: list[Json] = (await self.api.get(path, limit=200))["data"]
        return entries


def _text_of(mail: EmailMessage) -> str:
    part = mail.get_body(preferencelist=("plain", "html"))
    return part.get_content() if part is not None else ""
