"""The phrases that say an answer did not help, as a pattern over folded words apart by one blank. English."""

from __future__ import annotations

import re

UNHELPED = re.compile(
    r"\b(?:that|this|it|you|your answer|the answer|the article)(?: (?:really|still|just))? (?:didnt|did not|"
    r"doesnt|does "
    r"not|dont|do not|cant|isnt|is not|wasnt|was not|arent|are not)(?: (?:really|even|actually|at all))* (?:help|"
    r"helping"
    r"|helpful|answer|answering|what i (?:asked|meant|wanted|need)|my question|work|working|solve|understand|right)\b"
    r"(?! (?:with|on|for|in|when|if|after|anymore|properly)\b)"
    r"|\b(?:youre|you are|this is|thats|that is|absolutely|completely|totally|so)(?: (?:so|really|totally|completely|"
    r"absolutely|just|not|un|no))* (?:useless|unhelpful|not helpful|no help|not helping|worthless|pointless|"
    r"wrong answer)"
    r"\b|^(?:not helpful|unhelpful|no help|useless|wrong answer|that is wrong|thats wrong|still not (?:solved|working|"
    r"answered|helpful))(?: [.!?])*$"
)
