"""What addresses say, and where in Vietnam that is, before and since July 2025."""

import pytest

from services.customer.addresses.reading import NOWHERE, Parts, locate, read_address
from services.customer.addresses.units import units

# From the law's table: the code of now, and the names of the provinces that became it.
MERGED = {
    "01": ("Hà Nội",),
    "08": ("Hà Giang", "Tuyên Quang"),
    "15": ("Lào Cai", "Yên Bái"),
    "19": ("Bắc Kạn", "Thái Nguyên"),
    "24": ("Bắc Giang", "Bắc Ninh"),
    "25": ("Hòa Bình", "Phú Thọ", "Vĩnh Phúc"),
    "31": ("Hải Dương", "Hải Phòng"),
    "33": ("Hưng Yên", "Thái Bình"),
    "37": ("Hà Nam", "Nam Định", "Ninh Bình"),
    "44": ("Quảng Bình", "Quảng Trị"),
    "46": ("Huế",),
    "48": ("Đà Nẵng", "Quảng Nam"),
    "51": ("Quảng Ngãi", "Kon Tum"),
    "52": ("Bình Định", "Gia Lai"),
    "56": ("Khánh Hòa", "Ninh Thuận"),
    "66": ("Phú Yên", "Đắk Lắk"),
    "68": ("Bình Thuận", "Đắk Nông", "Lâm Đồng"),
    "75": ("Bình Phước", "Đồng Nai"),
    "79": ("Bình Dương", "Bà Rịa-Vũng Tàu", "TP.HCM"),
    "80": ("Tây Ninh", "Long An"),
    "82": ("Tiền Giang", "Đồng Tháp"),
    "86": ("Bến Tre", "Trà Vinh", "Vĩnh Long"),
    "91": ("An Giang", "Kiên Giang"),
    "92": ("Cần Thơ", "Hậu Giang", "Sóc Trăng"),
    "96": ("Bạc Liêu", "Cà Mau"),
}


def test_sixty_three_provinces_became_thirty_four():
    known = units()

    assert (len(known.old_provinces), len(known.new_provinces)) == (63, 34)
    assert set(known.became.values()) == set(known.new_provinces)
    for new, olds in MERGED.items():
        found = [known.old_province(name) for name in olds]
        assert None not in found, olds
        assert sorted(code for code, became in known.became.items() if became == new) == sorted(
            province.code for province in found
        )
    assert sum(len(olds) for olds in MERGED.values()) + 9 == 63


def test_every_old_ward_is_in_a_ward_of_the_right_province():
    known = units()

    assert (len(known.old_wards), len(known.new_wards)) == (10_035, 3_321)
    for ward in known.old_wards.values():
        provinces = {known.new_wards[code].province_code for code in ward.became}
        assert provinces == {known.became[ward.province_code]}, ward


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        (
            "12 Lê Lợi, Phường Bến Nghé, Quận 1, Thành phố Hồ Chí Minh, Việt Nam",
            Parts("12 Lê Lợi", "Phường Bến Nghé", "Quận 1", "Thành phố Hồ Chí Minh", "VN"),
        ),
        ("P. Bến Nghé, Q.1, TP.HCM", Parts(None, "P. Bến Nghé", "Q.1", "TP.HCM", "VN")),
        ("Số 8 - P5 - Q3 - HCM", Parts("Số 8", "P5", "Q3", "HCM", "VN")),
        (
            "45 Nguyễn Trãi, Phường Sài Gòn, TP.HCM 700000",
            Parts("45 Nguyễn Trãi", "Phường Sài Gòn", None, "TP.HCM", "VN", "700000"),
        ),
        ("5 Phố Huế, Hai Bà Trưng, HN", Parts("5 Phố Huế", None, "Hai Bà Trưng", "HN", "VN")),
        ("Bà Rịa - Vũng Tàu", Parts(None, None, None, "Bà Rịa - Vũng Tàu", "VN")),
        ("221B Baker Street, London", Parts("221B Baker Street, London")),
        (" , ;", Parts()),
    ],
)
def test_an_address_is_taken_apart_from_its_end(raw: str, parts: Parts):
    assert read_address(raw, units()) == parts


@pytest.mark.parametrize(
    ("raw", "old", "new", "is_certain"),
    [
        ("P. Bến Nghé, Q.1, TP.HCM", ("79", "760", "26740"), ("79", "Phường Sài Gòn"), True),
        (
            "phuong ben nghe, quan 1, sai gon",
            ("79", "760", "26740"),
            ("79", "Phường Sài Gòn"),
            True,
        ),
        # Split up: most of it is in the first.
        ("P. Đa Kao, Q.1, TP.HCM", ("79", "760", "26737"), ("79", "Phường Sài Gòn"), False),
        ("Phường Sài Gòn, TP.HCM", ("79", None, None), ("79", "Phường Sài Gòn"), True),
        ("TP. Thủ Đức, TP.HCM", ("79", "769", None), ("79", None), False),
        ("Bình Dương", ("74", None, None), ("79", None), False),
        ("Hà Nội", ("01", None, None), ("01", None), False),
        # A name that was given to a larger province: nobody knows which is meant.
        ("Lâm Đồng", (None, None, None), ("68", None), False),
        ("Phường 1, TP Đà Lạt, Lâm Đồng", ("68", "672", "24784"), ("68", None), None),
        ("Quận 99, TP.HCM", (None, None, None), ("79", None), False),
    ],
)
def test_a_place_is_known_in_both_schemes_as_far_as_that_is_certain(raw, old, new, is_certain):
    place = locate(read_address(raw, units()), units())

    province, ward = place.old_province, place.old_ward
    assert (province and province.code, place.old_district_code, ward and ward.code) == old
    assert place.new_province.code == new[0]
    if is_certain is not None:
        assert (place.new_ward and place.new_ward.name) == new[1]
        assert place.new_ward_is_certain is is_certain


def test_who_says_how_the_name_is_meant_is_believed():
    lam_dong = Parts(province="Lâm Đồng")

    assert locate(lam_dong, units(), scheme="vn63").old_province.code == "68"
    assert locate(lam_dong, units(), scheme="vn34").old_province is None


def test_elsewhere_nothing_is_looked_for():
    assert locate(Parts(province="Hà Nội", country="FR"), units()) == NOWHERE
    assert locate(Parts(street="12 Lê Lợi"), units()) == NOWHERE
