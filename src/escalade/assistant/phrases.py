"""The phrases by which people ask for a person, as patterns over folded words apart by one blank.

English is written from parts: whom one may ask for, how one asks, and what must follow so that "an agent" is not
"an agent fee". The other languages are written in their plain forms.
"""

from __future__ import annotations

import re

# Words people misspell when they ask; each maps to how the patterns spell it.
_KEPT = (
    "agent agents human humans person people representative operator advisor adviser someone somebody anyone anybody "
    "customer service support manager supervisor speak talk chat connect transfer escalate assistant please employee "
    "colleague consultant specialist associate mitarbeiter conseiller persona operatore medewerker konsultant "
    # words one slip away from those above, which must stay themselves
    "personal persons personel parson talks talked walk tank chats speaks spoke spear agency urgent argent humane "
    "supports services customers connects connected transfers escalated operators operated operates operate personas "
    "humano humana umano humain humaine humains persone season reason transferred pleased manage managed managers "
    "serviced supported custom customs specialists special specialise consultants consult consultation associated "
    "employees employed colleagues escalator representatives assistance assistants persoon agente agenten agentem "
    "personne personnes konsultanta konsultantka konsultanci operador operadora operateur conseillere "
    "konsultantem advisors advisers advise advised peoples speaker peak"
)
SPELLINGS: dict[str, str] = {word: word for word in _KEPT.split()}
SPELLINGS |= {
    "reps": "rep",
    "ned": "need",
    "wnat": "want",
    "wiht": "with",
    "wtih": "with",
    "hooman": "human",
    "sb": "somebody",
    "representive": "representative",
    "plz": "please",
    "costumer": "customer",
}

_WHO = (
    r"(?:agents?|humans?|persons?|representatives?|reps?|operators?|advis[eo]rs?|someone|somebody|anyone|anybody|"
    r"staff|employees?|managers?|supervisors?|boss(?:es)?|colleagues?|people|team ?members?|specialists?|"
    r"consultants?|experts?|"
    r"associates?|guy|man|woman|human beings?|live (?:chat|support)|"
    r"members? of (?:your )?(?:staff|team)|customer (?:service|support|care|success)|support(?: (?:team|agent|"
    r"person|staff|rep))?|help ?desk|"
    r"(?:customer )?(?:service|support|care|sales) (?:agent|person|rep|representative|team|staff|advis[eo]r))"
)
# "a", "one of your", "a real", "a bloody", "an actual live": at most three words that belong to whom one asks for
_ANY = (
    r"(?:(?:an?|the|some|any|another|your|one of your|one of the|other|real|live|actual|living|breathing|proper|human|"
    r"qualified|different|f\w*ing?|f\w*in|damn|damned|bloody|goddamn|freaking|frigging|stupid|competent|responsible|"
    r"customer|senior|normal|flesh and blood|of|in charge|available|online|nice|physical|genuine|service|support) )"
    r"{0,4}"
)
_SURELY = (
    r"(?:(?:an?|the|some|any|another|your|one of your|one of the) )?"
    r"(?:(?:real|live|actual|living|breathing|proper|human|f\w*ing|f\w*in|damn|damned|bloody|goddamn|freaking|"
    r"competent|different) )*"
)
# What may follow whom one asks for; anything else makes it a part of another thing: "an agent fee".
_END = (
    r"(?= [.,!?;:\n()]|$| (?:please|pls|now|asap|here|there|instead|today|immediately|again|about|on|in|at|from|who|"
    r"that|to (?:help|talk|speak|assist|answer|look|handle|sort|call|contact|respond|reply|deal|chat|take|fix|review|"
    r"check|explain|resolve|ask|write)|and|or|but|because|cause|cuz|so|for|with|over|via|by|if|i|right|directly|"
    r"rather|not|right|regarding|concerning|real|quick|quickly|first|then|than|thanks|thank|urgently|available|online|"
    r"else|ffs|omg|lol|bro|dude|ok|okay|yes|no|fast|thx|jesus|god|mister|before|as|my|you|whos|dammit|damn|man|"
    r"mate|already|this|is|can|could)\b)"
)
_REACH = (
    r"(?:talk(?:ing)?|speak(?:ing)?|chat(?:ting)?|connect(?:ed)?|transfer(?:red)?|put through|escalated?|get through|"
    r"reach(?: out)?|get (?:in touch|a ?hold|hold|connected|in contact)|be in touch|be connected|be transferred|"
    r"have a (?:word|chat|call|conversation)|have a quick (?:word|chat)|deal|discuss (?:this|it|that)|communicate|"
    r"converse|hear|complain|be (?:contacted|called|helped|assisted|served))"
)
_BOT = r"(?:bots?|robots?|chat ?bots?|machines?|ai|computers?|automated (?:\w+ )?\w+|software|program|algorithm|siri)"

_SOURCES = (
    # talk to a person
    (
        rf"\b{_REACH} (?:(?:directly|again|live|now|please|right now|further) )?(?:to|2|with|of|from|by|through "
        rf"to) {_ANY}"
        rf"{_WHO}{_END}"
    ),
    (
        rf"\b(?:contact|reach|call|phone|message) {_SURELY}(?:real (?:person|human)|human|agent|someone|somebody|"
        rf"representative|customer (?:service|support|care)|(?:your )?support(?: team)?|live (?:agent|person)){_END}"
    ),
    r"\bwho (?:can|could|do|may|should) i (?:please )?(?:talk|speak|complain) (?:to|with)\b",
    # connect me, get me a person
    (
        r"\b(?:transfer|connect|forward|put|redirect|pass) me (?:on |over |through )?(?:to|with) (?:the |your "
        r")?(?:billing|"
        r"sales|returns|accounts?|accounting|finance|technical|tech|complaints|orders?|shipping|right)\b"
    ),
    (
        rf"\b(?:connect|transfer|put|pass|hand|switch|forward|redirect|escalate|refer|route|send|bring|move)(?: "
        rf"(?:me|us|"
        rf"this|it|that|my (?:\w+ ){{1,3}}?))(?: (?:on|over|through|along|across|straight|back))?(?: (?:to|with|"
        rf"onto|in))? "
        rf"{_ANY}{_WHO}{_END}"
    ),
    (
        rf"\b(?:get|give|fetch|bring|send|show|assign|grab|hand)(?: (?:me|us))?(?: (?:in|here|over))? {_SURELY}"
        r"(?:human(?: being)?s?|live (?:agent|person)|real (?:person|human|one|agent)|person|agent|representative|rep|"
        rf"operator|advis[eo]r|someone|somebody|manager|supervisor|customer (?:service|support)){_END}"
    ),
    r"\b(?:connect|transfer|put) me (?:through|over|now|please)\b",
    r"^(?:please )?(?:connect|transfer|escalate)(?: me| this| now| it)?(?: please)?(?: [.!?])*$",
    (
        r"\b(?:escalate|hand) (?:this|my|it|the) (?:(?:case|issue|problem|matter|complaint|ticket|request|chat|"
        r"conversation)\b)?(?: over)?(?: (?:please|now|to|immediately|further))?(?= [.,!?;]|$| to| please| now)"
    ),
    # I want a person
    (
        r"\b(?:i|we|id|ill|lemme|gimme|just|still|really)? ?(?:want|wants|need|wanna have|would like|id like|would "
        r"prefer|like to "
        r"have|prefer|require|demand|insist on|request|requesting|asking for|asked for|ask for|looking for|rather have|"
        rf"wish for|could use|gotta have|wanna|gimme|let me have) {_SURELY}(?:human(?: being)?s?|person|agent|"
        r"representative|rep|operator|advis[eo]r|someone|somebody|manager|supervisor|live (?:chat|support)|human "
        r"(?:support|"
        rf"help|assistance|agent|contact)|customer (?:service|support|care)|support agent|real one){_END}"
    ),
    (
        r"\b(?:human|live|personal|person to person) (?:help|support|assistance|agent|chat|contact|being)(?= [.,!?;]|$|"
        r" (?:please|now|available|instead|asap))"
    ),
    # is there a person
    (
        rf"\b(?:is|are|isnt|arent) there (?:an? |any |some |no |not an? |not any )?{_SURELY}(?:human|humans|"
        rf"person|people|"
        r"agents?|someone|somebody|anyone|anybody|representatives?|operators?|one)"
        r"(?: (?:there|here|around|available|online|alive|working|on duty|on shift|in the office|at home|behind this))?"
        r"(?: (?:who|that|i|we|to)\b.{0,40}?\b(?:talk|speak|chat|help|contact|assist|reach|call|deal|email|write|"
        r"message)\w*| with a pulse)"
    ),
    (
        rf"\b(?:is|are) there {_SURELY}(?:humans?|person|people|agents?|someone|anyone|anybody|somebody|"
        rf"representatives?|"
        r"operators?) (?:there|here|around|available|online|alive|on duty|at home|out there|in there)(?= [.,!?;]|"
        r"$| right|"
        r" now| today| at| please| or| who| that)"
    ),
    (
        r"\b(?:anyone|anybody|someone|somebody|any humans?|any agents?|a human|real (?:person|people)) (?:there|"
        r"here|around|"
        r"home|alive|online|available)(?= [.,!?;]|$| right| now| please)"
    ),
    (
        r"\bdo you (?:guys )?(?:not )?have (?:an?|any|some|real|live|actual) ?(?:real |live |actual )?(?:human|"
        r"humans|person|"
        r"people|agents?|someone|operators?|representatives?)(?: \w+){0,3} (?:talk|speak|chat|contact|help|here|"
        r"available)\b"
    ),
    # can a person help
    (
        r"\b(?:can|could|will|would|may|shall|might|have|let|make|ask|get|tell) (?:please )?(?:an? |some |any |your "
        r"|one of "
        r"your )?(?:real |live |actual |human |proper )*(?:humans?|agents?|person|representative|rep|operator|"
        r"advis[eo]r|"
        r"manager|supervisor|someone|somebody|anyone|anybody|colleague)(?: (?:please|actually|there|from (?:your|the) "
        r"(?:\w+ ){0,2}(?:team|support|staff|service|company)|on your (?:side|team)|at your (?:company|end)|to|just))* "
        r"(?:call|phone|ring|contact|talk|speak|write|reach out|get back|get in touch|look into|take over|take a look|"
        r"join|respond|reply|chat|deal with|handle|step in|assist|ring|sort (?:this|it))\b"
    ),
    (
        r"\b(?:can|could|will|would|have|let) (?:please )?(?:an? |one of your |your )?(?:(?:real|live|actual|human|"
        r"proper) )+"
        r"(?:human|agent|person|representative|someone|being)? ?(?:please )?(?:\w+ )?help\b"
    ),
    (
        r"\b(?:can|could|will|would|have|let) (?:please )?(?:a human|humans|an agent|a person|a representative|an "
        r"operator)"
        r"(?: \w+)? help\b"
    ),
    (
        r"^(?:hello |hi |hey |please )?(?:[.,!?] )?(?:can|could|will|would) (?:please )?(?:someone|somebody|anyone|"
        r"anybody)"
        r"(?: (?:please|actually|there))* help(?: (?:me|us|out|please|now|here))*(?: [.!?])*$"
    ),
    r"\b(?:please )?(?:call|phone|ring) me(?: back)?(?= [.,!?;]|$| please| now| on| at| asap| today| tomorrow| about)",
    r"\bgive me a (?:call|ring)\b|\b(?:request|want|need|would like|id like|arrange|schedule) (?:a |an )?call ?back\b",
    r"\bno (?:real |live )?(?:humans?|agents?|person|people) (?:available|here|there|online|around)\b",
    # not a machine
    (
        rf"\b(?:stop|quit|enough|no more|sick|tired|fed up|done|had enough|hate|cant stand|dont want|do not want|"
        rf"dont wanna|"
        rf"dont like|not want|refuse|stuck|wasting my time)(?: (?:of|with|to|in|this|these|the|that|your|a|an|"
        rf"any|being|"
        rf"talk|talking|speak|speaking|chat|chatting|deal|dealing|messing|arguing|by|help|from|all|stupid|useless|dumb|"
        rf"f\w*ing|damn|bloody|automated|another|more|on)){{0,6}} {_BOT}\b"
    ),
    (
        rf"\b(?:not|no|without|instead of|rather than|other than|besides|anyone but|anything but|isnt|beyond)(?: "
        rf"(?:an?|the|"
        rf"this|some|any|another|your|just|stupid|talking|to|with|speaking|f\w*ing|damn)){{0,4}} {_BOT}(?= [.,!?;]|$|"
        r" (?:please|but|and|thanks|again|anymore|here|i))"
    ),
    (
        rf"\b(?:stupid|useless|dumb|idiotic|crappy|shitty|f\w*ing|worthless|terrible|annoying|rubbish|moronic|damn) "
        rf"{_BOT}\b"
    ),
    rf"\b(?:this|the|your|you) (?:{_BOT} )(?:is|are|isnt|doesnt|cant|keeps|sucks|does not|cannot|never)\b",
    rf"\b(?:get|go|take) (?:past|beyond|around|off|rid of|me past|me off) (?:the |this |your )?{_BOT}\b",
    rf"\b(?:wont|not going to|refuse to|not) (?:\w+ ){{1,4}}(?:an?|this|the|your) {_BOT}\b",
    # just the word
    (
        r"(?:^|(?<=[.,!?;:\n] ))(?:(?:hi|hello|hey|yes|no|ok|please|just|i said|again|the|an?|real|live|actual|"
        r"human|f\w*ing|damn|"
        r"bloody|want|"
        r"need|to|now|speak|talk|chat|with|get|me) |[.,!?:;] )*"
        r"(?:agents?|human(?: being)?s?|real (?:person|people)|person|representative|rep|operator|advis[eo]r|"
        r"live (?:chat|"
        r"agent|person|support|help)|customer (?:service|support|care|services)|support (?:agent|team)|human "
        r"(?:agent|support|help)|supervisor|manager|staff|helpdesk)"
        r"(?: (?:please|now|pls|asap|thanks|thank you|here|there|immediately|agent|person|support|today|again|"
        r"exclamation|[.!?,;:]))*$"
    ),
)
WISHES: tuple[re.Pattern[str], ...] = tuple(re.compile(source) for source in _SOURCES)

# A wish said not to be one, just before the words that would be it.
NEGATED = re.compile(
    r"\b(?:dont|do not|didnt|did not|never|no need|without|wont|not|havent|doesnt|shouldnt have|rather than|instead of|"
    r"dont have|not necessary|not needed)(?: (?:have|need|want|wish|like|to|me|us|yet|really|even|the|for|a|you|had|"
    r"ever|wanna|get|been|able|having|just|please|going)){0,6} ?$"
)
# Questions and tales about people, not to them. Each holds for the whole text.
NOT_ASKING: tuple[re.Pattern[str], ...] = (
    re.compile(r"^what happens (?:when|if|once|after)\b"),
    re.compile(r"\b(?:become|becoming|work(?:ing)? as|job as|career as|apply(?:ing)? (?:to be|as|for)|train(?:ing)? as|"
               r"hire|hiring|salary|vacanc\w+) (?:an?|your|more)? ?(?:agent|representative|advis[eo]r|operator|"
               r"manager)"),
    re.compile(r"\b(?:do|would|will|must) (?:i|we) (?:have|need) to (?:talk|speak|chat|call|contact|wait)\b"),
    re.compile(r"\bhow much (?:does|do|is|are|would)\b.{0,40}\b(?:talk|speak|call|chat)"),
    re.compile(r"\b(?:an?|the|your|another|one of your) (?:agent|representative|person|someone|colleague|operator|"
               r"advis[eo]r|rep)? ?(?:has |have |had |already |just )*(?:told|said|asked|promised|advised|assured|"
               r"informed|suggested|offered|instructed) (?:me|us|that|i|my)(?: to (?:talk|speak|call|contact|reach))"
               r"(?! (?:to )?(?:you|a (?:human|person|manager|supervisor|colleague)))"),
)  # fmt: skip

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

_DE_WHO = (
    r"(?:mensch(?:en)?|person|mitarbeiter(?:in|n)?|agent(?:en|in)?|berater(?:in)?|jemande?[mn]?|sachbearbeiter(?:in)?|"
    r"kollegen|kollegin|support ?mitarbeiter|service ?mitarbeiter|kundenservice|kundendienst|kundenberater|"
    r"kundenbetreuer|"
    r"support|operator)"
)
_DE_ANY = (
    r"(?:(?:einem|einer|einen|eine|ein|dem|der|den|die|ihrem|eurem|echten|echter|richtigen|richtige|echte|realen|"
    r"lebenden|menschlichen|anderen) )*"
)
_FR_WHO = (
    r"(?:quelquun|humaine?|etre humain|conseill(?:er|ere)|agent|personne|operat(?:eur|rice)|representant|employe|vrai"
    r"|responsable|service client|technicien|support|collegue)"
)
_FR_ANY = r"(?:(?:une|un|a|au|du|de|votre|vos|le|la|vraie?|autre|veritable|reelle?|de vos) )*"
_ES_WHO = (
    r"(?:persona|humano|humana|ser humano|agente|alguien|operador|operadora|asesor|asesora|representante|encargado|"
    r"atencion al cliente|servicio al cliente|soporte|ejecutivo|empleado)"
)
_ES_ANY = r"(?:(?:una|un|el|la|algun|alguna|su|otra|otro|verdadera|verdadero) )*"
_IT_WHO = (
    r"(?:persona|umano|essere umano|operatore|operatrice|qualcuno|agente|assistente|consulente|addetto|responsabile|"
    r"servizio clienti|assistenza(?: clienti)?)"
)
_IT_ANY = r"(?:(?:una|un|uno|unaltra|il|la|lo|vostro|vera|vero|altro|altra) )*"
_PT_WHO = (
    r"(?:pessoa|humano|humana|ser humano|atendente|alguem|agente|operador|operadora|representante|responsavel|"
    r"funcionario|apoio ao cliente|atendimento|suporte|assistente|consultor)"
)
_PT_ANY = r"(?:(?:uma|um|o|a|do|da|de|vosso|seu|outra|outro|verdadeira|algum) )*"
_NL_WHO = (
    r"(?:mens|persoon|medewerker|iemand|agent|collega|klantenservice|klantendienst|adviseur|vertegenwoordiger|"
    r"helpdesk|operator)"
)
_NL_ANY = r"(?:(?:een|de|het|echte?|levende?|jullie|uw|andere?|menselijke|van) )*"
_PL_WHO = (
    r"(?:czlowiek(?:iem|a|owi)?|konsultant(?:em|ka|ka|a|ow|ke)?|kims|kogos|pracownik(?:iem|a)?|agent(?:em|a)?|"
    r"osob[aey]|"
    r"doradc[aey]|operator(?:em|a)?|przedstawiciel(?:em|a)?|obslug[aei] klienta|kierownik(?:iem|a)?)"
)
_PL_ANY = r"(?:(?:zywym|zywa|prawdziwym|prawdziwa|jakims|innym|waszym|prawdziwego|zywego) )*"

_ELSEWHERE = (
    (
        r"\b(?:jemand|ein mensch|ein mitarbeiter|eine mitarbeiterin)(?: (?:mich|bitte|mir|von ihnen|vom "
        r"support))* (?:anrufen|"
        r"zuruckrufen|kontaktieren)\b"
    ),
    rf"\b(?:geef|geeft)(?: u)?(?: me| mij) {_NL_ANY}{_NL_WHO}\b",
    rf"^con {_ES_ANY}{_ES_WHO}\b",
    rf"\bmit {_DE_ANY}{_DE_WHO} (?:\w+ )?(?:sprechen|reden|chatten|verbinden|verbunden|telefonieren|schreiben|kontakt)",
    rf"\b(?:sprechen|reden|verbinde\w*|verbinden sie mich)(?: (?:mich|bitte|sie))* mit {_DE_ANY}{_DE_WHO}\b",
    (
        rf"\b(?:will|mochte|brauche|wunsche|hatte gern|bitte|gib mir|geben sie mir|ist da|gibt es)(?: gerne?)? "
        rf"{_DE_ANY}"
        r"(?:mensch(?:en)?|mitarbeiter(?:in)?|berater(?:in)?|echte person|jemanden?(?= [.!?,]|$| sprechen))\b"
    ),
    (
        rf"\b(?:parler|discuter|echanger|communiquer|contacter|joindre)(?: (?:directement))?(?: (?:a|avec))? "
        rf"{_FR_ANY}{_FR_WHO}\b"
    ),
    (
        rf"\b(?:passez|mettez|transferez|connectez|passer|transferer|mettre)(?: (?:moi|en|relation|contact|me))* "
        rf"(?:a|avec|vers)? ?"
        rf"{_FR_ANY}{_FR_WHO}\b"
    ),
    (
        rf"\b(?:je veux|je voudrais|jai besoin|je souhaite|il me faut) {_FR_ANY}(?:dun |de )?(?:humain|conseiller|"
        rf"agent|etre humain|"
        r"vraie personne|operateur)\b"
    ),
    (
        rf"\b(?:hablar|chatear|comunicarme|contactar|conectarme|conectame|comuniqueme|pasame|paseme|"
        rf"transferirme)(?: (?:ya|"
        rf"directamente))?(?: (?:con|a))? {_ES_ANY}{_ES_WHO}\b"
    ),
    (
        rf"\b(?:quiero|necesito|quisiera|deseo|dame|deme) (?:a )?{_ES_ANY}(?:humano|agente|operador|operadora|"
        rf"asesor|persona "
        r"(?:real|de verdad|humana)|representante)\b"
    ),
    (
        rf"\b(?:parlare|chattare|comunicare|parlo|mettermi in contatto|passami|passatemi|mi passi|collegarmi|"
        rf"contattare)(?: (?:"
        rf"direttamente))?(?: (?:con|a|ad))? {_IT_ANY}{_IT_WHO}\b"
    ),
    (
        rf"\b(?:voglio|vorrei|ho bisogno di|mi serve|datemi|dammi) {_IT_ANY}(?:umano|operatore|persona (?:reale|"
        rf"vera)|essere "
        r"umano|operatrice|assistenza umana)\b"
    ),
    (
        rf"\b(?:falar|conversar|contactar|contatar|comunicar|ligar|passa me|passe me|transferir me|transfira me)(?: (?:"
        rf"diretamente))?(?: (?:com|para|a))? {_PT_ANY}{_PT_WHO}\b"
    ),
    (
        rf"\b(?:quero|preciso|queria|gostaria)(?: de)? {_PT_ANY}(?:humano|atendente|agente|operador|pessoa (?:real|"
        rf"de verdade|"
        r"humana)|ser humano)\b"
    ),
    rf"\bmet {_NL_ANY}{_NL_WHO} (?:\w+ )?(?:praten|spreken|chatten|bellen|verbinden|verbonden|overleggen|contact)",
    rf"\b(?:praten|spreken|verbind|verbinden|chatten)(?: (?:me|mij|ik|graag))*(?: door)? met {_NL_ANY}{_NL_WHO}\b",
    rf"\b(?:spreek ik|kan ik|mag ik|wil)(?: (?:graag|ik))* {_NL_ANY}{_NL_WHO} (?:aan de lijn|spreken)\b",
    (
        rf"\b(?:ik wil|wil graag|ik heb|ik wil graag) {_NL_ANY}(?:mens|medewerker|echt persoon)(?= [.!?,]|$| nodig| "
        rf"spreken)"
    ),
    (
        rf"\b(?:porozmawiac|rozmawiac|pogadac|polaczyc|polacz(?:cie)?|skontaktowac|prosze|polaczenie)(?: (?:mnie|"
        rf"sie|bezposrednio|"
        rf"prosze|o))* (?:z|ze) {_PL_ANY}{_PL_WHO}\b"
    ),
    (
        rf"\b(?:chce|potrzebuje|prosze(?: o)?|poprosze(?: o| z)?|dajcie(?: mi)?) {_PL_ANY}(?:czlowieka|"
        rf"konsultant(?:a|em|ka)|zywego "
        r"czlowieka|pracownika|doradce)\b"
    ),
    (
        r"^(?:(?:bitte|por favor|per favore|svp|prosze|alstublieft|einen?|une?|una|een|echte[rnm]?|hola|hallo|"
        r"bonjour|ola|"
        r"ciao|czesc|dzien dobry|s il vous plait|sil vous plait) |[.,!?] )*"
        r"(?:mitarbeiter(?:in)?|mensch(?:en)?|kundenservice|kundendienst|conseill(?:er|ere)|etre humain|humain|"
        r"service client|"
        r"agente(?: humano)?|humano|operador|asesor|persona real|operatore(?: umano)?|umano|persona reale|"
        r"servizio clienti|"
        r"atendente(?: humano)?|pessoa real|medewerker|echt mens|mens|klantenservice|konsultant|czlowiek|zywy czlowiek)"
        r"(?: (?:bitte|por favor|per favore|svp|prosze|alstublieft|aub|sil vous plait|s il vous plait|[.!?,]))*$"
    ),
)
ELSEWHERE: tuple[re.Pattern[str], ...] = tuple(re.compile(source) for source in _ELSEWHERE)
