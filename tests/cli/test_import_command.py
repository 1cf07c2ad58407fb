"""A file of customers, from the command line into a running house."""

from pathlib import Path

import httpx

from cli.demo.shop import Shop
from tests.cli.supervisor import careloop
from tests.support.house import House
from tests.support.waiting import eventually


async def test_a_file_is_tried_out_and_taken_in(house: House, shop: Shop, tmp_path: Path) -> None:
    file, outcome = tmp_path / "khach.csv", tmp_path / "outcome.csv"
    file.write_text("Họ tên;Số ĐT;Màu\nNguyễn Văn Import;912345670;xanh\n;không có;\n")
    words = ("import", str(file), "--url", house.base_url, "--source", "from-the-shell")

    def run(*more: str):
        environment = {**house.environment, "CARELOOP_API_KEY": shop.api_key}
        return careloop(*words, *more, folder=tmp_path, environment=environment)

    tried = run("--dry-run")
    assert tried.returncode == 0, tried.stderr
    assert "phone_not_valid" in tried.stdout
    done = run("--map", "Màu=attributes.colour", "--outcome", str(outcome))
    assert done.returncode == 0, done.stderr
    assert "finished" in done.stdout
    assert [line.split(",")[:2] for line in outcome.read_text("utf-8-sig").splitlines()] == [
        *(["row", "outcome"], ["2", "created"], ["3", "invalid"])
    ]
    headers = {"authorization": f"Bearer {shop.api_key}"}
    async with httpx.AsyncClient(
        base_url=house.base_url, headers=headers, trust_env=False
    ) as client:

        async def found():
            answer = await client.get("/v1/customers", params={"source": "from-the-shell"})
            return answer.json()["data"]

        [customer] = await eventually(found, seconds=30)
    assert customer["attributes"] == {"colour": "xanh"}
    refused = run("--map", "Size=attributes.size")
    assert refused.returncode == 1
    assert "no such column" in refused.stderr
