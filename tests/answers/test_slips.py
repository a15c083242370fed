"""Equations: which are false, which are rounded, and which are none of our business."""

import pytest

from understudy.answers import equations, slips

CLEAN = [
    '5 feet + 6 inches = 66 inches',
    '2 hours = 120 minutes',
    'Day 1 = 5 + 3',
    'week 1 = 7',
    'x + 5 = 8',
    '2x = 10',
    'f(2) = 5',
    '3 boxes * 12 eggs/box = 36 eggs',
    '3:4 = 6:8',
    '`5 = 6` or 2 == 3, a <= 3 >= 2, x := 5',
    '```\n3 + 3 = 7\n```',
    '* 3 * 4 = 12',
    '1. 3 * 4 = 12',
    '2) 6/2 = 3',
    '$12 \\times 24 = 288$',
    '\\frac{3}{4} \\times 288 = 216',
    '100 - 20% = 80',
    '50 cents * 4 = $2',
    '2 dozen * 3 = 72',
    '2^3 = 8',
    '4\xb2 = 16',
    '1/3 = 0.3333',
    '2/3 = 67%',
    '30/50 = 60%',
    '30/50*100 = 60%',
    '5! = 120',
    '= 120!',
    'sqrt(16) = 4',
    '3.5 + 4.5 = 8.0',
    '(2 + 3) * 4 = 20',
    '(so 2 + 3 = 5)',
    'the total is **3 + 4 = 7** eggs',
    '-5 + 3 = -2',
    '5 - -3 = 8',
    '2(3+4) = 14',
    '6/2(1+2) = 9',
    'total cost - 5 = 3',
    '3S - 5 = 4',
    '3S -5 = 4',
    '20 - 5 * 2 = $<<20-5*2=10>>10',
    '2:30 + 1:00 = 3:30',
    '2021-03-04 = 5',
    'If 3x + 2 = 11, then 3x = 9 and x = 3',
    '1,234 + 1 = 1235',
    '12 + 6 eggs = 18 eggs, which took 3 days = 5',
    'she has 10-3=7 eggs',
    '50% \xd7 80 = 40',
    '5 + ? = 8',
    '____ = 5',
    '3 + 5 = 8 = 2 * 4',
    '10 = 10.0',
    '\xbe \xd7 8 = 6',
    '12 \xd7 $5 = $60/day',
    '2 * 60 minutes = 2 hours',
    '7/2 = 3.5 hours = 210 minutes',
    '1.5e3 = 1500',
    '10^-2 = 0.01',
    '3 + 4 = seven',
    '1 000 + 1 = 1001',
    '(a) 5 + 5 = 10',
    '100/3 = 33.3%',
    '20 percent of 50 = 10',
    'half of 20 = 10',
    '$5.50 + $4.50 = $10.00',
    '2/3=.67',
    '1 / 8 = 0.13',
    '5 + 5 = 10.',
    'Total = 3 + 4 + tax = 8',
    '1/2 = 2/4 = 3/6',
    '5 kg * 2 = 10 kg',
    'a = 5, b = 6, a + b = 11',
    '15 * 12 = 180. 2/5 * 180 = 72, 180 - 72 = 108',
    '$1/3 = $0.33',
    '22 / 7 = 3.14 m',
    '2,400 / 3 = 800',
    '15% of 60 = 9',
    'A = 2B. A + 3 = 4 * (B + 1).',
    '7**7**7 = 1',
    'on 12/25/2020 he had 6 = six',
    '20 - 4 - 6 = 10 pens; 10 * 3 = $30',
    '0.7 + 0.1 = 0.8',
    '3 = 4x so x = 3/4',
    '7.5/2=3.8',
    '1000 / 3 = 333.3',
    '12+30 = <<12+30=42>>42 cups',
    'I paid 3 * 4 = 12, i.e. 12 = 3 * 4',
    '2 * 3.5 = 7 and 7 = 7.0',
    '1/4 + 1/4 = 1/2',
    '50% = 1/2',
    '5 squared = 25',
    '3^2 + 4^2 = 5^2',
    '-3 - 4 = -7',
    '7 - 10 = -3',
    '$5.00 x 3 = $15',
    '3 dozen = 36',
    '1 km = 1000 m',
    '60 mph * 2 hours = 120 miles',
    '2 + 2 != 5',
    'Let y = 3, then 2y = 6 and y + 1 = 4',
    'for i = 1 to 5',
    'a[0] = 5',
    '18 = 2 * 9',
]  # fmt: skip

SLIPS = [  # text, the false equations in it as printed
    ('3 apples + 4 apples = 8 apples', ['3 apples + 4 apples = 8']),
    ('3 boxes * 12 eggs/box = 38 eggs', ['3 boxes * 12 eggs/box = 38']),
    ('3 * 4\n= 13', ['3 * 4\n= 13']),
    ('- 3 * 4 = 13', ['3 * 4 = 13']),
    ('$12 \\times 24 = 298$', ['12 \\times 24 = 298']),
    ('\\frac{3}{4} \\times 288 = 226', ['\\frac{3}{4} \\times 288 = 226']),
    ('\\[ 5 + 6 = 12 \\]', ['5 + 6 = 12']),
    ('2**3 = 9', ['2**3 = 9']),
    ('4\xb2 = 15', ['4\xb2 = 15']),
    ('1/3 = 0.34', ['1/3 = 0.34']),
    ('30/50 = 0.5', ['30/50 = 0.5']),
    ('(2 + 3) * 4 = 14', ['(2 + 3) * 4 = 14']),
    ('12 = 5 + 8', ['12 = 5 + 8']),
    ('so 12 = 5 + 8', ['12 = 5 + 8']),
    ('**3 + 4 = 8**', ['3 + 4 = 8']),
    ('9 - 4 = 5 - 2 = 3', ['9 - 4 = 5 - 2']),
    ('0.1 \xd7 0.2 = 0.2', ['0.1 \xd7 0.2 = 0.2']),
    ('x = 3 = 4', ['3 = 4']),
    ('5 \xd7 3 =15 and 4\xd72= 9', ['4\xd72= 9']),
    ('48/2 = <<48/2=24>>25', ['48/2 = 25']),
    ('she has 10-3=6 eggs', ['10-3=6']),
    ('16 / 4 = 4 / 2 = 2', ['16 / 4 = 4 / 2']),
    ('12 \xd7 $5 = $65/day', ['12 \xd7 $5 = $65']),
    ('3 x 4 = 12 x 2 = 24', ['3 x 4 = 12 x 2']),
    ('$5.50 + $4.50 = $11.00', ['$5.50 + $4.50 = $11.00']),
    ('5 + 5 = 11.', ['5 + 5 = 11']),
    ('\\$5 \\times 3 = \\$16', ['\\$5 \\times 3 = \\$16']),
    ('9 + 10 = 21\n\nThe answer is 21', ['9 + 10 = 21']),
    ('Total = 3 + 4 = 8', ['3 + 4 = 8']),
    ('5kg * 2 = 11kg', ['5kg * 2 = 11']),
    ('150 * 2/5 = 150 * 0.45 = 67.5.', ['150 * 2/5 = 150 * 0.45']),
    ('so 6 x $0.85 = $5.15', ['6 x $0.85 = $5.15']),
    ('22/7 = 3', ['22/7 = 3']),
    ('15% of 60 = 8', ['15% of 60 = 8']),
    ('14 \xd7 3 = 42 and 45 \xf7 9 = 5 and 8 \u2212 3 = 4', ['8 \u2212 3 = 4']),
    ('4 + 3 = 7 + 2 = 9', ['4 + 3 = 7 + 2']),
    ('5 * 1.1 = 5.6', ['5 * 1.1 = 5.6']),
    ('12+30 = <<12+30=43>>43 cups', ['12+30=43']),
    ('<think>2+2=5</think>', ['2+2=5']),
    ('(3+4)*2=15.', ['(3+4)*2=15']),
    ('total: 3+4=8', ['3+4=8']),
    ('We have 3+4=8, thus', ['3+4=8']),
    ('= 3 + 4 = 8', ['3 + 4 = 8']),
    ('x = 3 + 4 = 8', ['3 + 4 = 8']),
    ('so x=3+4=8', ['3+4=8']),
    ('Cost = $3 + $4 = $8', ['$3 + $4 = $8']),
    ('5\xd73=16', ['5\xd73=16']),
    ('5\xb73=16', ['5\xb73=16']),
    ('5 \\cdot 3 = 16', ['5 \\cdot 3 = 16']),
    ('100 \xf7 3 = 33', ['100 \xf7 3 = 33']),
    ('1/4 + 1/4 = 2/8', ['1/4 + 1/4 = 2/8']),
    ('3^2+4^2 = 24', ['3^2+4^2 = 24']),
    ('-3 - 4 = 7', ['-3 - 4 = 7']),
    ('60 mph * 2 hours = 130 miles', ['60 mph * 2 hours = 130']),
    ('18 = 2 * 8', ['18 = 2 * 8']),
]  # fmt: skip


STATUS = [
    ("6 * 7 = 42", "exact"),
    ("5 / 3 = 1.67", "rounded"),
    ("5 / 3 = 1.6", "slip"),
    ("5 / 3 = 2", "slip"),
    ("1 / 8 = 0.13", "rounded"),
    ("160 / 68 = 2.3529411764705883", "rounded"),
    ("K + 4 = 9", "unchecked"),
    ("8**8**8 = 5", "unchecked"),
    ("2 / 0 = 5", "unchecked"),
    ("30 / 40 = 75%", "exact"),
    ("1 / 3 = 33.3%", "rounded"),
]


@pytest.mark.parametrize("text", CLEAN)
def test_what_is_true_or_in_doubt_is_no_slip(text):
    assert slips(text) == ()


@pytest.mark.parametrize(("text", "expected"), SLIPS)
def test_a_false_equation_is_told_as_printed(text, expected):
    assert [s.equation for s in slips(text)] == expected


@pytest.mark.parametrize(("text", "status"), STATUS)
def test_each_equation_has_a_status(text, status):
    assert [e.status for e in equations(text)] == [status]


def test_a_slip_knows_its_place():
    text = "First 2 + 2 = 4. Then 4 \u00d7 3 = 13, so 13."
    (slip,) = slips(text)
    assert text[slip.start : slip.end] == slip.equation == "4 \u00d7 3 = 13"


def test_a_chain_is_read_pair_by_pair():
    assert [e.status for e in equations("7 + 1 = 8 * 2 = 16 / 4 = 4")] == ["slip", "slip", "exact"]


def test_a_note_and_the_equation_around_it_count_once():
    assert len(equations("9*3 = <<9*3=27>>27 eggs")) == 1
    assert [s.equation for s in slips("9*3 = <<9*3=28>>28 eggs")] == ["9*3=28"]
    assert [s.equation for s in slips("9*3 = <<9*3=27>>28 eggs")] == ["9*3 = 28"]
