"""Questions that are alike come together: by words with their other words, by meaning where there is a model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.embeddings import encoder

from escalade.assistant.clusters import ALIKE_IN_MEANING, clusters, neighbours_by_words
from escalade.assistant.meaning import neighbours

GIFTS = ["Do you sell gift cards?", "can I buy a gift card", "Gift card for my mother?"]
CANOES = ["Do you rent canoes?", "I would like to rent a canoe"]


def test_the_one_with_most_alike_gathers_them_and_stands_first() -> None:
    # 2 is like 0, 1 and 3, who are not like each other; 4 is like 3 alone.
    near = [frozenset({2}), frozenset({2}), frozenset({0, 1, 3}), frozenset({2, 4}), frozenset({3})]
    assert clusters(near) == [[2, 0, 1, 3], [4]]
    assert clusters([]) == []


@given(st.lists(st.text(max_size=40), max_size=12))
def test_every_question_is_in_one_cluster_and_near_its_first(texts: list[str]) -> None:
    near = neighbours_by_words(texts)
    found = clusters(near)
    assert sorted(at for one in found for at in one) == list(range(len(texts)))
    assert all(at in near[head] for head, *others in found for at in others)
    assert all(a in near[b] for a, others in enumerate(near) for b in others)


def test_words_that_mean_the_same_count_as_one() -> None:
    together = [[[*GIFTS, *CANOES][at] for at in one] for one in clusters(neighbours_by_words([*GIFTS, *CANOES]))]
    assert sorted(map(sorted, together)) == sorted([sorted(GIFTS), sorted(CANOES)])
    assert len(clusters(neighbours_by_words(["The parcel is broken", "My package arrived damaged"]))) == 1
    assert len(clusters(neighbours_by_words(["", "", "the of and"]))) == 3, "what says nothing is like nothing"


def test_what_means_the_same_comes_together_without_a_word_in_common() -> None:
    texts = ["How can I get my money back?", "How do I get a refund?", "Do you rent canoes?"]
    assert len(clusters(neighbours_by_words(texts))) == 3
    assert clusters(neighbours(encoder().encode(texts), ALIKE_IN_MEANING)) == [[0, 1], [2]]
