"""Verdicts on reply texts: a table of forms met in the wild, by kind."""

import pytest

from understudy.answers import judge
from understudy.records import Kind, Option, Stop, Verdict

RIGHT, WRONG, NO_ANSWER, CUT_OFF = Verdict.RIGHT, Verdict.WRONG, Verdict.NO_ANSWER, Verdict.CUT_OFF

NUMBERS = [  # reply, gold, verdict
    ('He sells 7*6 = 42.\n#### 42', '42', RIGHT),
    ('####42', '42', RIGHT),
    ('#### $1,250.50', '1250.5', RIGHT),
    ('#### 1. Find the cost\n\\boxed{5}', '5', RIGHT),
    ('The answer is \\fbox{23}.', '23', RIGHT),
    ('\\boxed{ 23 }', '23', RIGHT),
    ('$\\boxed{23}$ dollars', '23', RIGHT),
    ('\\boxed{\\$1{,}234.00}', '1234', RIGHT),
    ('\\boxed{12\\text{ cm}^2}', '12', RIGHT),
    ('Final answer: 17', '17', RIGHT),
    ('**Answer:** 17 apples', '17', RIGHT),
    ('Answer: **17**', '17', RIGHT),
    ('### Final Answer\n\n17', '17', RIGHT),
    ('The final answer is $17$. I hope it is correct.', '17', RIGHT),
    ('The answer is 30 minutes.', '30', RIGHT),
    ('The answer is \u20ac45.', '45', RIGHT),
    ('The answer is \xa3 45.50.', '45.5', RIGHT),
    ('The answer is 45 km/h.', '45', RIGHT),
    ('Answer: 9 ft^3', '9', RIGHT),
    ('The volume is 9 cm3.', '9', RIGHT),
    ('The answer is 3/8.', '0.375', RIGHT),
    ('\\boxed{\\tfrac{3}{8}}', '3/8', RIGHT),
    ('\\boxed{-\\frac{7}{2}}', '-3.5', RIGHT),
    ('The answer is 1 3/4 cups.', '1.75', RIGHT),
    ('\\boxed{3\\tfrac{1}{3}}', '10/3', RIGHT),
    ('So 35% of the pupils walk.', '35', RIGHT),
    ('\\boxed{12.5\\%}', '0.125', RIGHT),
    ('\\boxed{0.125}', '12.5%', RIGHT),
    ('\\boxed{12.5}', '12.5%', RIGHT),
    ('\\boxed{1.25}', '12.5%', WRONG),
    ('35 percent', '0.35', RIGHT),
    ('The answer is \u221212.', '-12', RIGHT),
    ('The answer is 12.', '-12', WRONG),
    ('The answer is -12.', '12', WRONG),
    ('The answer is 8 - 11.', '-3', RIGHT),
    ('The answer is 2^5.', '32', RIGHT),
    ('The answer is 48/6.', '8', RIGHT),
    ('\\boxed{2.5 \\times 10^{-2}}', '0.025', RIGHT),
    ('Answer: 6.02e3', '6020', RIGHT),
    ('Answer: 1.2E2', '120', RIGHT),
    ('The answer is twenty-four.', '24', RIGHT),
    ('The answer is one hundred.', '100', RIGHT),
    ('The answer is two and a half.', '2.5', RIGHT),
    ('The answer is 0.667.', '2/3', RIGHT),
    ('The answer is 0.666.', '2/3', WRONG),
    ('The answer is 0.7.', '2/3', RIGHT),
    ('The answer is 1.', '2/3', WRONG),
    ('The answer is 1.41.', '\\sqrt{2}', RIGHT),
    ('The answer is 3.14.', '\\pi', RIGHT),
    ('The answer is 1.42.', '\\sqrt{2}', WRONG),
    ('The answer is 12.4.', '12.35', WRONG),
    ('The answer is 66.7%.', '2/3', RIGHT),
    ('2/3', '0.667', WRONG),
    ('The answer is 3.33.', '3.333', WRONG),
    ('#### 1.25', '125', WRONG),
    ('The answer is 250.', '25', WRONG),
    ('The answer is 40 (not 50).', '40', RIGHT),
    ('The answer is 40, not 50.', '40', RIGHT),
    ("I'm not sure. There were 9 cats.", '9', NO_ANSWER),
    ('It cannot be determined from the 12 eggs.', '12', NO_ANSWER),
    ('There is not enough information about the 5 boxes.', '5', NO_ANSWER),
    ("Sorry, I can't help with that.", '5', NO_ANSWER),
    ('I do not know the answer, maybe.', '5', NO_ANSWER),
    ('Answer: 21\nQ: Tom has 3.\nA: 3', '21', RIGHT),
    ('The answer is 21.\n\nProblem: Ann has 5. The answer is 5.', '21', RIGHT),
    ('Answer: 21\n\n**Question:** b? Answer: 4', '21', RIGHT),
    ('Answer: 21 Question: More? Answer: 99', '21', RIGHT),
    ('The answer is \\[ 42 \\]', '42', RIGHT),
    ('\\[ \\boxed{42} \\]', '42', RIGHT),
    ('The answer is $42$', '42', RIGHT),
    ('The answer is $$42$$.', '42', RIGHT),
    ('The answer is 5 dollars and 25 cents.', '5.25', RIGHT),
    ('The answer is 84 cents.', '0.84', WRONG),
    ('Answer: 75%', '3/4', RIGHT),
    ('\xbe', '0.75', RIGHT),
    ('The answer is 1\xbd.', '1.5', RIGHT),
    ('The answer is 15 \xd7 4 = 60.', '60', RIGHT),
    ('\u7b54\u6848\u662f25\u3002', '25', RIGHT),
    ('\u7b54\u6848\uff1a25', '25', RIGHT),
    ('<think>The total is \\boxed{7}, hmm', '7', CUT_OFF),
    ('so \\boxed{7}</think>The answer is \\boxed{8}.', '8', RIGHT),
    ('<thinking>3</thinking>4', '4', RIGHT),
    ('[THINK]3[/THINK]4', '4', RIGHT),
    ('<reasoning>3</reasoning>\n<answer>4</answer>', '4', RIGHT),
    ('<think></think>4', '4', RIGHT),
    ("<think>It's \\boxed{7}</think>\n\n", '7', NO_ANSWER),
    ('   ', '7', NO_ANSWER),
    ('<think>a</think>\\boxed{8}<think>b', '8', CUT_OFF),
    ('<think>a<think>b</think>the answer is 9', '9', RIGHT),
    ('She will arrive at 7:00 am.', '7', RIGHT),
    ('The answer is 7:30 pm.', '7:30 PM', RIGHT),
    ('The answer is 7:30.', '7:30 pm', RIGHT),
    ('The answer is 7:30 am.', '7:30 pm', WRONG),
    ('The answer is 19:30.', '7:30 pm', RIGHT),
    ('7:45', '7:30', WRONG),
    ('The ratio is 6:8.', '3:4', RIGHT),
    ('The ratio is 2:3.', '3:2', WRONG),
    ('\\boxed{2:3}', '4:6', RIGHT),
    ('The ratio is 1:2:3.', '2:4:6', RIGHT),
    ('3 to 4', '3:4', RIGHT),
    ('y = 12', '12', RIGHT),
    ('\\boxed{n = 12}', '12', RIGHT),
    ('\\boxed{12 \\text{ boys}}', '12', RIGHT),
    ('\\boxed{\\mathbf{12}}', '12', RIGHT),
    ('The answer is 12 345.', '12345', RIGHT),
    ('\\boxed{12\\,345}', '12345', RIGHT),
    ('The answer is 995.', '1000', WRONG),
    ('\\boxed{8} or \\boxed{9}', '8', WRONG),
    ('The answer is 8 or 9.', '8', WRONG),
    ('The answer is either 8 or 9.', '9', WRONG),
    ('\\boxed{8 \\text{ or } 9}', '9', WRONG),
    ('The answer is 18 or 19', '18', WRONG),
    ('\\boxed{8} or \\boxed{8}', '8', RIGHT),
    ('8 or 9', '8', WRONG),
    ('So she has 8 or 9 apples.', '8', WRONG),
    ('Answer: 8 or 9', '9', WRONG),
    ('#### 8 or 9', '9', WRONG),
    ('The answer is \\boxed{8} or \\boxed{9}.', '9', WRONG),
    ('He gives his 6-year-old sister some, so 14 remain.', '14', RIGHT),
    ('She lends her 10-speed bike and keeps 3 books.', '3', RIGHT),
    ('<|begin_of_thought|>a<|end_of_thought|>\n<|begin_of_solution|>The '
     'answer is \\boxed{9}.<|end_of_solution|>', '9', RIGHT),
    ('<think>9</think>The sum is \\boxed{9}. To be sure,', '9', RIGHT),
    ('He earns $ 250 each week.', '250', RIGHT),
    ('Total: \u20ac 3,450.00', '3450', RIGHT),
    ('####   64  ', '64', RIGHT),
    ('thus 8*8 = 64\n#### 64 apples', '64', RIGHT),
    ('The answer is : 64', '64', RIGHT),
    ('the answer is  **64** .', '64', RIGHT),
    ('ANSWER: 64', '64', RIGHT),
    ('Answer - 64', '64', RIGHT),
    ('Answer is 64', '64', RIGHT),
    ('Ans: 64', '64', RIGHT),
    ('So there were 27 birds left on 2 trees.', '27', RIGHT),
    ('**Final Answer**: 64', '64', RIGHT),
    ('__Answer:__ 64', '64', RIGHT),
    ('Answer: 75 kg/m^3', '75', RIGHT),
    ('The length is 75 cm.', '75', RIGHT),
    ('The area is 30 ft2.', '30', RIGHT),
    ('The answer is 2/5.', '0.4', RIGHT),
    ('\\boxed{ \\frac{ 2 }{ 5 } }', '2/5', RIGHT),
    ('\\boxed{\\frac{2}{5}}', '\\dfrac{4}{10}', RIGHT),
    ('The answer is 4 3/4 miles', '4.75', RIGHT),
    ('Thus 45% of the members voted.', '45', RIGHT),
    ('\\boxed{45 \\%}', '45', RIGHT),
    ('\\boxed{45%}', '0.45', RIGHT),
    ('The answer is - 8.', '-8', RIGHT),
    ('The answer is negative 8.', '-8', RIGHT),
    ('The answer is 9 - 4 + 2.', '7', RIGHT),
    ('The answer is 10 ^ 4.', '10000', RIGHT),
    ('\\boxed{3 \\cdot 10^{4}}', '30000', RIGHT),
    ('Answer: 4e-1', '0.4', RIGHT),
    ('The answer is eleven.', '11', RIGHT),
    ('The answer is Seven.', '7', RIGHT),
    ('<think>Hmm 5? \\boxed{6}</think>\n\nThe answer is 7.', '7', RIGHT),
    ('<think>\\boxed{6}</think> Tim is 9 years old.', '9', RIGHT),
    ('\\boxed{1}, no, \\boxed{2}, hmm \\boxed{3}', '3', RIGHT),
    ('The answer is 24. Check: 4 * 6 = 24, 5 + 2 = 7.', '24', RIGHT),
    ('Hence 7 + 8 = 15 pens, which cost 4 dollars.', '15', RIGHT),
    ('The bus leaves at 9:00 am.', '9', RIGHT),
    ('The ratio of boys to girls is 5:7.', '5:7', RIGHT),
    ('The ratio is 5 : 7.', '5:7', RIGHT),
    ('n = 14', '14', RIGHT),
    ('\\boxed{n=14}', '14', RIGHT),
    ('$n = 14$', '14', RIGHT),
    ('\\boxed{14 \\text{ km}}', '14', RIGHT),
    ('\\boxed{\\text{14 km}}', '14', RIGHT),
    ('\\boxed{14\\ \\mathrm{km}}', '14', RIGHT),
    ('\\boxed{2{,}500{,}000}', '2500000', RIGHT),
    ('\\boxed{25\\,000}', '25000', RIGHT),
    ('The answer is 2 500 000.', '2500000', RIGHT),
    ('The answer is 1010.', '1000', WRONG),
    ('The answer is 0.143.', '1/7', RIGHT),
    ('The answer is 14.29.', '100/7', RIGHT),
    ('The answer is 0.14.', '0.142', WRONG),
    ('#### 0.25', '25', WRONG),
    ('The answer is 1000.', '100', WRONG),
    ('The answer is 30 (not 31).', '30', RIGHT),
    ("I don't know. She had 40 pens.", '40', NO_ANSWER),
    ('I cannot determine the answer; there were 40 pens.', '40', NO_ANSWER),
    ("It's impossible to know how many of the 40 are left.", '40', NO_ANSWER),
    ('We cannot tell how many of the 40 pens are red.', '40', NO_ANSWER),
    ('The problem does not give enough information about the 40 pens.', '40', NO_ANSWER),
    ('There is no way to find out; 40 pens.', '40', NO_ANSWER),
    ("Unfortunately I can't answer that. 40", '40', NO_ANSWER),
    ('I am unable to determine the 40.', '40', NO_ANSWER),
    ('40.', '40', RIGHT),
    ('  40\n', '40', RIGHT),
    ('Answer: 40\n\nQuestion: Next? Answer: 3', '40', RIGHT),
    ('40\nQ: what is 3+4? A: 7', '40', RIGHT),
    ('The answer is \\( 40 \\).', '40', RIGHT),
    ('The answer is 7 dollars and 5 cents.', '7.05', RIGHT),
    ('The answer is $7 and 5 cents.', '7.05', RIGHT),
    ('The answer is \u2154.', '2/3', RIGHT),
    ('The answer is 6 \xd7 7 = 42.', '42', RIGHT),
    ('The answer is 6 x 7 = 42.', '42', RIGHT),
    ('The answer is 42,', '42', RIGHT),
    ('\u7b54\u6848\u662f 42\u3002', '42', RIGHT),
    ('\u6240\u4ee5\u7b54\u6848\u662f42\u4e2a\u3002', '42', RIGHT),
    ('the total is 12.</think>The answer is 12.', '12', RIGHT),
    ('<think>a<think>b</think>\\boxed{7}', '7', RIGHT),
    ('<think>x<think>y</think>z</think>The answer is 3.', '3', RIGHT),
    ('<think>I get 12.</think>\n', '12', NO_ANSWER),
    ('\\fbox{3} or \\fbox{4}', '3', WRONG),
    ('\\boxed{3}, or \\boxed{4}', '4', WRONG),
    ('$\\boxed{3}$ or $\\boxed{4}$', '4', WRONG),
    ('Either \\boxed{3} or \\boxed{4}.', '3', WRONG),
    ('The answer is 3, or 4.', '3', WRONG),
    ('The answer is 3 or maybe 4.', '3', WRONG),
    ('<answer>3 or 4</answer>', '4', WRONG),
    ('She gave it to her 5-year-old son, so 8 remain.', '8', RIGHT),
    ('He buys a 12-pack, so he has 15 cans.', '15', RIGHT),
    ('She runs a 10-mile race and earns 20 dollars.', '20', RIGHT),
    ('It was not 5 but 6 apples.', '6', RIGHT),
    ('If 4 were lost, then 10 are left.', '10', RIGHT),
    ('The 3-hour trip cost $45.', '45', RIGHT),
    ('<think>8 + 7 = 15</think><answer> 15 </answer>', '15', RIGHT),
    ('<Answer>15</Answer>', '15', RIGHT),
    ('The answer is $15.00 per day.', '15', RIGHT),
    ('Each gets 15/4 = 3.75 cups.', '15/4', RIGHT),
    ("I don't know if 4 or 5.", '4', NO_ANSWER),
    ('The answer is fifteen dollars.', '15', RIGHT),
    ('There are 15 (fifteen) cats.', '15', RIGHT),
    ('Step 1: add.\nStep 2: done.\n15', '15', RIGHT),
    ('The answer is 15!', '15', RIGHT),
    ('Is it 15?', '15', NO_ANSWER),
    ('The answer is 3.0 \xd7 10^2.', '300', RIGHT),
    ('5:30 pm', '17:30', RIGHT),
    ('12:00 pm', '12', RIGHT),
    ('The answer is 1:05:30', '1:05:30', RIGHT),
    ('The answer is 72 hours (3 days).', '72', RIGHT),
    ('The answer is about 12.5 feet', '12.5', RIGHT),
    ('\\boxed{12.5 \\text{ or } 25/2}', '12.5', RIGHT),
]  # fmt: skip

CHOICES = [  # reply, gold, verdict
    ('The best choice is (D).', 'D', RIGHT),
    ('\\boxed{d}', 'D', RIGHT),
    ('Answer: (b)', 'B', RIGHT),
    ('The answer is B', 'B', RIGHT),
    ('Therefore, the correct answer is C.', 'C', RIGHT),
    ('The correct option is **A**.', 'A', RIGHT),
    ('A dog barks. The answer is (D).', 'A', WRONG),
    ('I think a cat is best.', 'A', NO_ANSWER),
    ('B', 'B', RIGHT),
    ('B.', 'B', RIGHT),
    ('(E)', 'E', RIGHT),
    ('So the answer is A or B.', 'A', WRONG),
    ('Option C is correct.', 'C', RIGHT),
    ('I would pick (C)', 'I', WRONG),
    ('The answer is B) library', 'B', RIGHT),
    ('The answer is a.', 'A', RIGHT),
    ('A', 'A', RIGHT),
    ('The right option is (D).', 'D', RIGHT),
    ('\\boxed{(D)}', 'D', RIGHT),
    ('\\boxed{\\text{D}}', '(d)', RIGHT),
    ('Answer: E', 'D', WRONG),
    ('A fish swims, so the answer is (B).', 'A', WRONG),
    ('The answer is option (C).', 'C', RIGHT),
    ('I believe the answer is C because it floats.', 'C', RIGHT),
    ('So the correct choice is: D', 'D', RIGHT),
    ('A car is fast.', 'A', NO_ANSWER),
    ('I am sure.', 'I', NO_ANSWER),
    ('(a)', 'A', RIGHT),
]  # fmt: skip

BOOLS = [  # reply, gold, verdict
    ('So the answer is no.', 'No', RIGHT),
    ('Yes, it is.', 'yes', RIGHT),
    ('\\boxed{False}', 'no', RIGHT),
    ('The answer is true', 'yes', RIGHT),
    ('No. Frogs are not mammals.', 'no', RIGHT),
    ('Thus, yes.', 'no', WRONG),
    ('The answer is: **Yes**', 'yes', RIGHT),
    ('yes or no', 'yes', WRONG),
    ("I don't know.", 'yes', NO_ANSWER),
    ('It is not true.', 'yes', WRONG),
    ('Therefore, the answer is no.', 'no', RIGHT),
    ('\\boxed{\\text{No}}', 'false', RIGHT),
    ('So the answer is True.', 'yes', RIGHT),
]  # fmt: skip

TEXTS = [  # reply, gold, verdict
    ('\\boxed{\\text{ Rome }}', 'rome', RIGHT),
    ('The capital is \\boxed{"Rome"}.', 'Rome', RIGHT),
    ('The answer is Rome.', 'rome', RIGHT),
    ('Answer: new   york', 'New York', RIGHT),
    ('\\boxed{Milan}', 'Rome', WRONG),
    ("The answer is 'ab'.", 'ab', RIGHT),
    ('Answer: 05/01/2021', '05/01/2021', RIGHT),
    ('The biggest city is \\boxed{Sao Paulo}.', 'sao paulo', RIGHT),
    ("\\boxed{ 'Lima' }", 'lima', RIGHT),
]  # fmt: skip

MATHS = [  # reply, gold, verdict
    ('\\boxed{2x+1}', '1 + 2x', RIGHT),
    ('\\boxed{(3,4)}', '(3, 4)', RIGHT),
    ('\\boxed{(3,4]}', '(3,4)', WRONG),
    ('\\boxed{\\frac{\\sqrt{3}}{3}}', '\\frac{1}{\\sqrt{3}}', RIGHT),
    ('\\boxed{x=5}', '5', RIGHT),
    ('\\boxed{90}', '90^\\circ', RIGHT),
    ('\\boxed{\\dfrac{3}{2}}', '1.5', RIGHT),
    ('\\boxed{\\{1,2\\}}', '\\{2,1\\}', RIGHT),
    ('\\boxed{6-5i}', '-5i+6', RIGHT),
    ('\\boxed{(x+1)^2}', 'x^2+2x+1', RIGHT),
    ('\\boxed{52_8}', '52_8', RIGHT),
    ('\\boxed{52}', '52_8', WRONG),
]  # fmt: skip

SENTENCES = [  # reply, gold, verdict
    ('Each of the 5 kids gets 8 apples.', '8', RIGHT),
    ('After 5 days, she has 40 eggs.', '40', RIGHT),
    ('If she sells 9 eggs at $2 each, she makes $18.', '18', RIGHT),
    ('She uses 7 eggs, leaving 9.', '9', RIGHT),
    ('The number of apples that 3 kids ate is 12.', '12', RIGHT),
    ('So 60% of the students are enrolled.', '60', RIGHT),
    ('So, in the remaining 24 liters of the mixed drink, there are 15 liters of water.', '15', RIGHT),
    ("The total number of crabs the three have together is Bo's "
     "crabs + Monic's crabs, which is 40 + 36 + 46 = 122 crabs.", '122', RIGHT),
    ('The 42 kg bag of rice will last for 3 weeks.', '3', RIGHT),
    ('So the 5 people brought in a total of 14 old records.', '14', RIGHT),
    ('So, the two venues will be equal in cost when there are 10 guests.', '10', RIGHT),
    ('so $0.10 per pump is 10 cents per pump.', '10', RIGHT),
    ('She sold 18 eggs, which is 5 more than yesterday.', '18', RIGHT),
    ('There are 18 eggs left because 3 were eaten.', '18', RIGHT),
    ('She did not sell 5, she sold 7.', '7', RIGHT),
    ('John is 5 years old.', '5', RIGHT),
    ('He has 12 marbles, not 15.', '12', RIGHT),
    ('Because 3 of them broke, 9 remain.', '9', RIGHT),
    ('Since 16 - 7 = 9, she makes 9*2 = 18 dollars.', '18', RIGHT),
    ('It takes 4 hours to dig 30 holes.', '4', RIGHT),
    ('In 3 days she earns $18.', '18', RIGHT),
    ('The 4-foot wire gives 8 pieces.', '8', RIGHT),
    ('Her 12-year-old cousin needs 25 dollars.', '25', RIGHT),
    ('She has three cats.', '3', RIGHT),
    ('Allen will be 109 years old 10 years from now.', '109', RIGHT),
    ('x = 7', '7', RIGHT),
    ('Therefore 12 + 6 = 18 eggs, which took 3 days.', '18', RIGHT),
    ('Thus, **18** eggs remain in 2 baskets.', '18', RIGHT),
    ('He walked 5 miles when he was 12.', '5', RIGHT),
    ('We get 3x = 21, so x = 7.', '7', RIGHT),
    ('Total cost: $45.50', '45.5', RIGHT),
    ('So she has 5 apples left.\n', '5', RIGHT),
    ('The answer should be clear. She pays 20 dollars.', '20', RIGHT),
    ('18 eggs', '18', RIGHT),
    ('That leaves 9 eggs for the market.', '9', RIGHT),
    ('A total of 25 people came on 3 buses.', '25', RIGHT),
    ('So the answer must be three hundred and five.', '305', RIGHT),
    ('She will finish at 2:00 pm.', '2', RIGHT),
    ('It costs -5 degrees', '-5', RIGHT),
    ('Maria, who is 9, has 14 coins.', '14', RIGHT),
    ('Tom has 14 coins, while Ann has 9.', '14', RIGHT),
    ('The class, which has 30 pupils, needs 15 books.', '15', RIGHT),
    ('Although 3 left, 17 stayed.', '17', RIGHT),
    ('She has 2,500 stamps now, unlike her 2 brothers.', '2500', RIGHT),
    ('She bought 20 of the 50 books.', '20', RIGHT),
    ('He paid $1,234.50 in total.', '1234.5', RIGHT),
    ('As 5 of the 20 were red, 15 were blue.', '15', RIGHT),
    ('After selling 9 of her 16 eggs she has 7.', '7', RIGHT),
    ('He still needs 7 out of 10 points.', '7', RIGHT),
    ('There are twice as many, i.e. 20 eggs.', '20', RIGHT),
    ('There are 12 inches in a foot, so the answer is 36 inches.', '36', RIGHT),
    ('Her profit is 20% of $50 = $10.', '10', RIGHT),
    ('The train arrives at 5:30 pm.', '5:30 pm', RIGHT),
    ('We need 2 1/2 cups.', '2.5', RIGHT),
    ('He gets \xbe of it.', '3/4', RIGHT),
    ('So the total is 3/8.', '3/8', RIGHT),
    ('It is 10 - 4.', '6', RIGHT),
    ('She needs about 12 more.', '12', RIGHT),
    ('There remain only two.', '2', RIGHT),
]  # fmt: skip

LENGTH = [  # reply, gold, verdict
    ('<think>5+5=10</think>So \\boxed{10}', '10', CUT_OFF),
    ('a\n#### 10', '10', CUT_OFF),
    ('a\n#### 10\n', '10', CUT_OFF),
    ('a\n#### 10\nand', '10', RIGHT),
    ('<answer>10</answer> so', '10', RIGHT),
    ('<answer>10', '10', CUT_OFF),
    ('The answer is 10. So we', '10', CUT_OFF),
    ('\\boxed{3} no, \\boxed{1', '3', CUT_OFF),
    ('', '3', CUT_OFF),
]  # fmt: skip


CASES = [
    (Kind.NUMBER, *case) for case in (*NUMBERS, *SENTENCES)
] + [(kind, *case) for kind, table in (
    (Kind.CHOICE, CHOICES), (Kind.BOOL, BOOLS), (Kind.TEXT, TEXTS), (Kind.MATH, MATHS)
) for case in table]  # fmt: skip

OPTIONS = tuple(
    Option(label=label, text=text) for label, text in zip("ABC", ("open field", "wooded area", "city"), strict=True)
)


@pytest.mark.parametrize(("kind", "reply", "gold", "verdict"), CASES)
def test_every_form_gets_the_verdict_of_a_careful_person(kind, reply, gold, verdict):
    assert judge(reply, gold, kind).verdict is verdict


@pytest.mark.parametrize(("reply", "gold", "verdict"), LENGTH)
def test_a_cut_off_reply_is_judged_only_by_a_complete_declared_answer_with_text_behind_it(reply, gold, verdict):
    assert judge(reply, gold, stop=Stop.LENGTH).verdict is verdict


@pytest.mark.parametrize("gold", ["B", "(b)", "wooded area"])
@pytest.mark.parametrize(
    "reply", ["\\boxed{Wooded area}", "Answer: (b)", "So it lives in a wooded area.", "The answer is wooded area.",
              "\\boxed{B. wooded area}", "\\boxed{\\text{wooded area}}"]
)  # fmt: skip
def test_the_words_of_an_option_stand_for_its_letter(reply, gold):
    assert judge(reply, gold, Kind.CHOICE, choices=OPTIONS).verdict is RIGHT
    assert judge(reply, "C", Kind.CHOICE, choices=OPTIONS).verdict is WRONG


def test_two_options_with_the_same_words_are_the_same_answer():
    twins = (Option(label="A", text="mortal"), Option(label="B", text="dead"), Option(label="C", text="mortal"))
    assert judge("Answer: mortal", "C", Kind.CHOICE, choices=twins).verdict is RIGHT


def test_a_failed_call_says_nothing_of_the_model():
    assert judge("", "7", stop=Stop.ERROR).verdict is Verdict.FAILED


def test_without_gold_there_is_an_answer_but_no_verdict():
    found = judge("\\boxed{7}", None)
    assert (found.verdict, found.answer) == (Verdict.UNGRADED, "7")
    assert judge("<think>so", None).verdict is CUT_OFF
    assert judge("The answer is 7", None, stop=Stop.LENGTH).verdict is CUT_OFF


def test_the_thought_is_never_graded_but_its_answer_is_told():
    found = judge("<think>So \\boxed{5}.</think>She is 2 years old.", "5")
    assert (found.verdict, found.answer, found.thought_answer, found.consistent) == (WRONG, "2", "5", False)


def test_a_servers_separate_thought_counts_as_one():
    found = judge("The answer is 18.0.", "18", thought="9 * 2 = 18")
    assert (found.verdict, found.thought, found.consistent) == (RIGHT, True, True)


def test_an_empty_think_block_is_no_thought():
    found = judge("<think>\n\n</think>\\boxed{3}", "3")
    assert (found.thought, found.consistent) == (False, None)


def test_the_reason_is_one_line():
    assert judge("\\boxed{4}", "5").why == "'4' (box) is not '5'"
