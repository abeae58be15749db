"""The shapes in which people ask for a person, the same in every language: patterns over roles, a letter for each word.

The letters are in `lexicon.ROLES`; `_` is any other word, `.` `?` `,` are stops. Each pattern stands beside a message
it is there for. A shape is found in a sentence, then the guards are asked about what stands before it: a refusal, a
question about the rules, somebody else's wish.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_OF = "(?:[TDJ]{1,4}[wWd]|TJS|T_(?=F?r))?"  # "of your support"
_WHO = f"[DJUFT]{{0,5}}[WS]{_OF}"  # "with one of your real people"
_NAMED = f"[DJUFT]{{0,5}}(?:WJ*|J+S|SJ){_OF}"  # not merely "someone"
_REACHED = f"[DJUF]{{0,5}}(?:[WSs]w?|d?w){_OF}"
_TAIL = "(?![_SkcmB]|D(?!J))"  # "an agent fee" is no agent
_CALL_ME = "(?:C[YF]{0,3}T?M(?!F*N)|M[AFLTM]{0,4}C)(?![FDJ]{0,2}k)"
_HELP_ME = "(?:H[YF]{0,2}M|M[AFLTD]{0,3}H)"
_START = "(?:^|(?<=h,))"  # of a sentence, a greeting aside
_FROM = "(?:^|(?<=[.?,]))"  # the start of a part of a sentence
_END = "(?=[.?,]|$)"


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to ask; the guards may overrule it, unless it stands above them."""

    pattern: re.Pattern[str]
    example: str
    guarded: bool


def _ways(*ways: tuple[str, str], guarded: bool = True) -> tuple[Shape, ...]:
    return tuple(Shape(re.compile(pattern), example, guarded) for pattern, example in ways)


_TALK_TO_SOMEONE = _ways(
    ("[Rr][FLMIDYcT]{0,4}T[DJUFT]{0,5}[WSsw]", "May I speak to a human?"),
    ("[Rr]T[DJYk]*_{1,2}[TD]{0,3}w", "Speak with your pensions team"),
    ("[AV]I?F*TS_{1,2}(?:[TD]{1,3}w)?F*r", "Kann ich mit Frau Müller sprechen?"),
    ("[AV]I?F*T[DJ]?[Sk]?_{0,2}[TD]{1,3}wF*r", "Ich möchte mit einem Anwalt aus der Rechtsabteilung sprechen"),
    ("[Rr][FLM]{0,2}T[DU]{1,2}_W", "I want to talk to a trained agent"),
    (f"(?:[RC]|(?<!^)r|r(?!D))[FLMIY]{{0,3}}[DJUF]{{0,5}}[WSs]{_OF}{_TAIL}", "Comment joindre un conseiller ?"),
    (f"R[FLM]{{0,2}}{_REACHED}", "Quero falar urgente suporte técnico"),
    ("VF?T?CT?D{0,2}w", "Quiero contactar con atención al cliente"),
    ("[AVT][FTI]{0,2}C[FL]?T[DJUF]{0,4}[WS]", "¿Puedo contactar con un agente?"),
    (f"[VGEy][FDJTIYL]{{0,3}}_?[DJ]{{0,2}}o[FT]{{0,3}}{_REACHED}", "Ich wünsche ein Gespräch mit einem Berater"),
    (f"{_START}[FDJ]*[oZC]F?T{_REACHED}F*{_END}", "Rozmowa z konsultantem"),
    (f"^[FDJ]*(?:o{_NAMED}F*|oF*VF*)[.]?$", "Contact medewerker"),
    (f"{_START}[FDJ]*oF?T{_NAMED}[FA]", "Ein Gespräch mit einem Berater wäre das Beste"),
    (f"AF?[AI]_?[DFJ]*[oZC]F?T{_REACHED}", "Dürfte ich um ein Gespräch mit Ihrer Filialleitung bitten?"),
    (f"A[YAFDGT]{{0,4}}[oZC]_?T{_WHO}(?=[TFLKA.?,&]|$)", "Could you arrange a call with an adviser?"),
    ("[Rr][DFc]*T?Q[^.?,]{0,2}K", "Fatemi parlare con chi si occupa di questo"),
    (f"T?{_REACHED}[FTDIAYMLJ]{{0,4}}r", "Kan ik iemand spreken?"),
    (f"T{_REACHED}[FTDIAYMV_]{{0,3}}[rP]", "Bitte an einen Techniker übergeben"),
    (f"[AVy]I?[FTDJUL]{{0,4}}{_WHO}F*C(?!M)", "Kan ik met iemand bellen?"),
    (f"I[AFT]{{1,3}}{_WHO}F*V[FT]{{0,2}}r", "Ik zou een medewerker willen spreken"),
    (f"^IoF*T{_REACHED}", "Ik chat liever met een persoon"),
    (f"E[DJ]*[WS]To{_END}", "Gdzie znajdę kogoś do rozmowy"),
    ("A[AFM]{1,4}[rC][DJ]*[WS]", "Czy mógłby się ze mną skontaktować ktoś?"),
    ("[WS]Q?(?:IA|AI)F?[Rr]", "There must be someone I can speak to"),
    ("[WS],?T?[DQ]IF?rA", "Wo sitzt ein Mensch, den ich fragen kann?"),
    (f"[AE][FIL]{{0,3}}_?[DJ]*[WS]_?F*T?F*[Rr]T?{_END}", "Where can I find someone to talk to?"),
    ("[WS]TQ[AIF]{0,2}[Rr]", "Dove trovo un operatore con cui parlare?"),
    ("T?Q(?:[TDJ]{1,3}[_w]?)?[FMTYDL]{0,2}[AIXy][AIFMTYDL]{0,3}[Rr]", "Con chi posso parlare?"),
    ("TQ[FMTYD]{0,2}[Rr]", "¿Con quién hablo?"),
    ("[Rr]T?Q(?=[.?,T]|$)", "Je peux parler à qui ?"),
    ("TQAF?I[^.?,kNx]{1,6}r", "Mit wem kann ich über die doppelte Abbuchung reden?"),
    ("Q[AIFMTY]{1,4}C(?=T{0,2}(?:[DTc]{1,2}_?)?[.?]|$)", "Who can I call?"),
)
_CONNECT_ME = _ways(
    ("(?<![WSk])P[MFLDYIcTo]{0,5}T[DJUFT]{0,4}(?:W|JS|_?w|d)", "Forward this to an agent"),
    ("(?<![WSk])P[FLDYIcT]{0,4}M[MFLDYIcTJU]{0,5}[WSws]", "Put me through to somebody"),
    ("M[AFLIY]{0,3}P[FLDYTJU]{0,5}[WSws]", "¿Me comunica con alguien?"),
    (f"(?<![WSk])P[FY]{{0,2}}M[FLT]{{0,3}}{_END}", "Transfer me"),
    (f"(?<![_WSkc])v(?:F*{_END}|F?T?{_REACHED})", "I need to be transferred"),
    (f"T{_REACHED}F?v", "Ich möchte zu einem Berater durchgestellt werden"),
    (f"[AVF]Y?MN?[FTD]{{0,4}}P[FL]*{_END}", "Können Sie mich durchstellen?"),
    ("TQF?P", "Mit wem verbinden Sie mich?"),
    ("MAF?P(?=[FL]*[&.?,])", "¿No me puedes comunicar?"),
    (f"{_FROM}F+PF*(?=[.?]|$)", "Graag doorverbinden"),
    (f"{_START}F*P(?:[F,]{{1,3}}|[DJ]*SF*)(?=[.?]|$)", "Weiterverbinden bitte"),
    (f"{_START}F*(?:PD*[oR]F*|D*oF*P|[DJ]*WF*P){_END}", "Please transfer this chat"),
    ("T[DJ]*dF*P", "Mag ik u verzoeken mij met de directie te verbinden?"),
    ("P[YDJUFLco]{0,5}(?:[Ww](?=[TFLM.?,]|$)|Dw_(?=[.?]|$))", "Przekażcie sprawę pracownikowi"),
    (f"p[DcFTM]{{0,5}}{_END}", "Please escalate this"),
    (f"p[DcFTM]{{0,5}}{_WHO}", "Hand me over to a colleague"),
)
_GIVE_ME_SOMEONE = _ways(
    (f"GY?[FL]{{0,2}}M[FLMTY]{{0,3}}[DJUF]{{0,5}}[WS]{_TAIL}", "Give me a human"),
    (f"GY?[FL]{{0,3}}[DJUF]{{0,4}}W{_TAIL}", "Dawaj człowieka"),
    ("GY?[FLT]{0,3}[DJUF]{0,4}S(?=[TLFK.?,QJ&]|$)", "Can you get someone to look at this?"),
    ("M[FLT]{0,3}[DJUF]{0,4}[WS][FT]{0,2}[GP]", "Kunt u mij iemand geven?"),
    ("GM[^.?_]{0,8}T[DJUF]*[WS]", "Get me past this bot to a person"),
    ("GM[DT]{0,3}d?w", "Hand me to customer relations"),
    ("AIGF?T[DJU]{0,3}(?:[WS]|Dd?w)", "How do I get to a person?"),
    ("GY?[DFc]{1,4}T[DJUY]{0,3}(?:W|_?w)", "Geef mijn vraag aan een collega"),
    (f"[AVF][FYDIL]{{0,3}}{_WHO}[LF]{{0,2}}G{_END}", "Kunt u een collega erbij halen?"),
)
_WANT_SOMEONE = _ways(
    (f"[Vy][FLTIMA]{{0,4}}[DJUFT]{{0,5}}(?:W|J+S|SJ|S(?=T[^_]|[QFLKHCNV.?,&]|$)){_TAIL}", "I need an agent"),
    ("V[FLTIMA]{0,4}S[DT]{1,2}w", "Ich brauche jemanden vom technischen Dienst"),
    ("AIA(?:[DJU]{0,4}W|D[JU]*w)(?=[FL.?,]|$)", "Can I have a human please"),
    (f"VF{{0,2}}Dd?wF*{_END}", "Ik wil de klachtenafdeling"),
    (f"AIN?(?:[DJUF]{{1,4}}WF*|[FDJ]{{0,4}}[WS]LF*){_END}", "Mag ik een echte medewerker"),
    ("^[hF,]*AIF*(?:TYF*)?TD*WF*[?]", "Mag ik naar een collega?"),
    ("^ADF*T[DJU]{0,3}(?:W|JS)F*[?]", "Geht das auch mit einem echten Ansprechpartner?"),
    (f"{_FROM}[DJUFT]*W[JF]*V(?=F*(?:[.?,]|$))", "Human needed"),
    ("^[DJF]*d?wd?VF*[.?]*$", "Dział reklamacji poproszę"),
    ("LD*J*WT?VE?(?=[.,]|$)", "Ik denk dat hier een mens voor nodig is"),
    (f"V[_FDJT]{{0,3}}H[FDM]{{0,2}}T{{0,2}}(?:{_NAMED}|[DJ]{{0,3}}S|D_W)", "I want help from a person"),
    (f"A[TFGVD_]{{0,4}}[Hw][FD]{{0,2}}T{{1,2}}(?:{_NAMED}|[DJ]{{0,3}}S)", "Is it possible to get help from a person?"),
    ("(?:E[LF]{0,4}Q(?=[,?.]|T?[rRH]|$)|V[LF]{0,3}QT?r)", "Gibt es da wen, der sich auskennt?"),
    ("GMF*Q", "Gebt mir wen, der Ahnung hat"),
    (f"^[hF,]*AIF*TDd?w[_c]?{_END}", "Mag ik met de afdeling schade?"),
    (f"{_FROM}[hF]*AF?[DJU]{{1,3}}WA?M[^.?,kNC]{{0,6}}{_END}", "Can a member of staff make me a quote?"),
    (f"{_FROM}A(?:YAD*W|ATD*W|YD?TD*WF?[AP])[?]", "Could you ask a colleague?"),
    ("^[hF,]*D{1,3}W(?:AM|MA)A?[_DTc]{0,4}[?]", "¿Un vendedor me puede hacer un presupuesto?"),
    ("G[MDFT]{0,3}Z", "Get me a callback"),
    (f"(?:^|I)[F_][FT]{{0,2}}{_WHO}(?:[TD]{{1,3}}[_wWd])?F*V(?=[TFQ.?,]|$)", "Ik heb een medewerker nodig"),
    (f"HF?VT{{1,2}}{_NAMED}", "Ik heb hulp nodig van een mens"),
    (f"HF*D?oF?T{_NAMED}", "Mir hilft nur ein Gespräch mit einem Experten"),
    ("(?:HT{1,2}|^H)(?:[DJ]{0,3}W|D*J+S|D*SJ+)(?=[F.?,]|$)", "Help from a human please"),
)
_SOMEONE_CALLS_ME = _ways(
    (f"[AVGFTyPEQR&Y][DJUTFL]{{0,5}}[WSw][^.?,kNRex]{{0,6}}{_CALL_ME}", "Can someone call me?"),
    ("[WSw](?:[TDJ]{1,4}_?)?M?A[FYLM]{0,3}C", "Qualcuno mi può chiamare prima delle 17"),
    (f"{_FROM}[hFDJU]*[WSw][^.?,kNRex]{{0,6}}{_CALL_ME}(?=[FT&.?,]|$)", "Someone phone me please"),
    (f"M[FT]{{0,2}}{_WHO}[^.?,kNR]{{0,8}}C", "Ich möchte, dass mich jemand anruft"),
    (f"C[YFL]{{0,2}}M[^.?,kNR]{{0,3}}{_WHO}", "¿Podría llamarme un gestor?"),
    (f"{_START}F*C[DJUF]{{1,3}}WF*{_END}", "Call your manager"),
    (f"(?<![_kWSwNDXnxH]){_CALL_ME}", "Please call me"),
    ("[AFV]Y?[DJU]{0,3}[WS]?M[^.?,kNn]{0,6}C(?=[.?,F]|$)", "Kunnen jullie mij vandaag nog terugbellen?"),
    ("[VHA]I?[TDFJNL]{0,4}Z(?!T?[DJ]*k)", "I want a callback"),
    ("^[cFD]*Z[FT]*[.?]*$", "Richiesta di richiamata"),
    (f"{_FROM}[FD]*AY{{1,2}}F*CF*{_END}", "Können Sie anrufen?"),
    (f"{_FROM}F*A(?:IF{{0,3}}(?:TY)?F*C|IF?TYF*r|C)[?]", "Darf ich anrufen?"),
    ("^F*CYT?F*,?_{1,3}[.]?$", "Rufen Sie an: 0664 1234567"),
    (f"(?:F[TDFJ]{{0,3}}|^)Z[FT]*{_END}", "Please a callback"),
    ("E[DJ]*Z[TDF_]{0,3}A", "Ist ein Rückruf heute Abend möglich?"),
    (f"[VF][FTD]{{0,3}}{_CALL_ME}", "Chiedo di essere richiamata"),
    (f"VTC[FT]*{_END}", "Agradeço que entrem em contacto"),
    ("Z[TYDWSF]{0,3}A[FIM]*V", "A callback would be appreciated"),
    ("z", "Chiamatemi"),
)
_SOMEONE_HELPS_ME = _ways(
    (f"[WJ]S?[^.?,kNR]{{0,5}}{_HELP_ME}", "Can a human help me with this?"),
    ("H[YF]{0,2}MF{0,2}[DJUF]{0,3}(?:W|J+S)", "Czy odpowie mi człowiek?"),
    ("[AVY]{1,2}[FTN]{0,2}M[FNL]{0,3}[DJUF]{0,4}(?:W|J+S)[^.?,kN]{0,4}H", "Kann mir das ein Mensch erklären?"),
    ("[VA]A?T{0,2}MH[DJUFT]{0,4}[WS]", "Quiero que me atienda una persona"),
    ("V[^.?kN]{0,6}TF?(?:MH|HM)[DJUF]*[WS]", "Espero lo que haga falta hasta que me atienda una persona"),
    ("V[^.?kN]{0,6}T[DJUF]*[WS]T?M?H", "I will wait as long as it takes for a human to answer"),
    ("[AV][FLDT]{0,2}M[FLDTN]{0,3}S[FD]{0,2}(?:[TD]{1,2}_)?H(?=[FLTD]{0,3}(?:[.?]|$|DF))", "Kann mir jemand helfen?"),
    (f"HMT[DU]*J*W{_TAIL}", "Assist me with a live agent"),
    ("MAF?H[FDJU]{0,3}[WS]", "Mi può aiutare un operatore?"),
    ("V,?T?HF?[DJ]*W", "Poczekam, aż odbierze człowiek"),
    (f"{_START}F?T[DJ]*[WS](?:M[FD]*[HC]|F*[HC]{_END})", "Que alguien me conteste"),
    (f"{_FROM}(?:SF{{1,2}}H(?:M|{_END})|F+SF*H{_END})", "Somebody please help me, I am stuck"),
    (f"{_FROM}F?TMHF?[DJU]{{0,3}}[WS]", "Que me atienda un empleado"),
    (f"{_START}F*(?:HM|MH)[DJ]*[WS](?=F|{_END})", "Mi aiuti una persona per favore"),
    (f"A{_NAMED}F*(?:D?c)?H(?=[TDF]{{0,4}}c?{_END})", "Could an actual employee respond to this?"),
    (f"{_FROM}T?{_NAMED}A?F?H[TDF]{{0,4}}c{_END}", "Un vrai humain peut répondre à une question"),
    (f"A{_NAMED}[FTD]{{0,3}},?[kAT]{{0,2}}(?:MH|HM|Mr|(?<=T)HF*{_END})", "Ask a colleague to write to me"),
    (f"{_FROM}{_WHO}(?:AF?{_HELP_ME}|MD?AH)[FLTD]{{0,3}}{_END}", "Alguém pode me atender?"),
    (
        f"[AV][FLDT]{{0,3}}S(?:[TDJ]{{1,4}}d?[_w]){{0,2}}[FLTDA]{{0,2}}{_HELP_ME}[FLTD]{{0,4}}(?=[.?Q]|$)",
        "Can someone please help me?",
    ),
    (f"A(?:[NF]{{0,3}}S[DF]{{1,2}}|F?DJ*SF?)HF*{_END}", "Kan niet gewoon iemand van jullie antwoorden?"),
    (f"A[LFD]*n[TDF]{{0,2}}K{_END}", "Kan er geen mens naar kijken?"),
    ("^QM?A(?:MF+H|M?HM?F+)[?]", "Who can help me in person?"),
    ("^[hF,]*D{1,2}WAF?H(?:F+[?.]?$|[?])", "Um humano pode responder por favor"),
    (f"IHD?F[DJT]*[WS]F*{_END}", "Ich erkläre das lieber jemandem mündlich"),
    ("[AV][DFM]{0,4}S[LF]{1,2}H", "Ich würde es lieber jemandem am Telefon erklären"),
)
_SOMEONE_TAKES_OVER = _ways(
    (f"[AGVP][FTLMYINDc]{{0,5}}{_WHO}[^.?,kN]{{0,7}}?[KR]", "Can a human take over?"),
    (f"(?<![^.?,VI_]){_WHO}[DJTFL]{{0,3}}N?A[^.?,k]{{0,6}}K", "Un suo collega può occuparsene?"),
    ("[AV][^.?,kN]{0,5}K[FT]{0,2}[DJUF]{0,4}W", "Pouvez-vous faire intervenir un responsable ?"),
    ("[_F]X[DJUF]{0,4}[WS]V?F*(?=[.,]|$)", "Sorry, aber dafür brauch ich einen Menschen"),
    (f"A[YF]*{_WHO}A?,[kA]{{0,2}}[^.?,kN]{{0,4}}[KCH]", "Können Sie jemanden bitten, das anzuschauen?"),
    (f"V[DFcT]{{0,4}}KT[DJU]{{0,3}}S{_TAIL}", "I need this looked at by a person"),
    ("[AV][^.?,kN]{0,3}K[^.?,kN]{0,3}T[DJU]*[WS]", "Faites lire ce message à une personne"),
    ("T[DFc]{0,3}K[DJUF]{0,4}W", "Es muy complejo, que lo vea un experto"),
    ("(?:V,?[AT]|[AV])[TDFc_]{0,4}K[DJUFc]*[WS]", "Potete fare in modo che lo legga una persona?"),
    ("AI[FDTL]{0,4}T[DJU]*[WS]F?K", "Kunnen we dit met iemand oplossen?"),
    (f"[AV][FIY]{{0,3}},_?[FTYDMc]{{0,4}}{_WHO}[^.?,kN]{{0,4}}[KCH]", "Ich möchte, dass sich ein Mensch meldet"),
    (f"{_START}[FDJ]*S(?:V|y)[^.?,kN]{{0,5}}[HKR]", "Somebody needs to explain this to me"),
    ("F[DJUF]*[WS]F?K", "Bitte einen Mitarbeiter einschalten"),
    (f"DJ*W[FT]{{0,2}}[yV][FDTL]{{0,3}}[KR](?=[TDF]{{0,4}}c?{_END})", "I think a human needs to look at this"),
)
_IS_SOMEONE_THERE = _ways(
    (
        "(?<!T_)(?<!T__)E[LFTNYq]{0,4}[DJUFwd]{0,4}(?:S?W{1,2}|[Sn])(?:[LFJD]|T[YM]|[TDJ]{0,3}[wd]|TJ[WS]|Q_(?=[LJ]))*(?:[.?]|$)",
        "Is anybody there?",
    ),
    (
        "E[LFTNY]{0,4}[DJUF]{0,4}[WSn](?:[LFJD]|TY|[TDJ]{1,3}w|TJ[WS])*(?:T_)?,?[TQIYFAD]{1,4}[MIFATSYD_]{0,4}[RrCHK](?!D{1,2}_)",
        "Is there anyone I can talk to about this?",
    ),
    ("E[LFTNY]{0,4}[DJ]{0,2}[WS][LF]{0,2}&[FDJ]{0,3}[Bm](?=[LF]*(?:[.?]|$))", "Sitzt da jemand oder nur ein Computer?"),
    ("E[LFTN]{0,4}[DJ]{0,2}[WS][LF]{1,3}&[^.?]*[?]", "Is anyone actually there or is it automated?"),
    (f"^NS[^.?,k]{{0,5}}{_HELP_ME}[?]", "Won't somebody answer me?"),
    ("q[^.?]{0,6}(?:Tn[WSJ]?F*[Rr]|[Rr]Tn)", "Warum kann ich mit keinem Menschen sprechen?"),
    ("qA?H[FL]{0,3}[Nn][WS]", "Warum antwortet hier kein Mensch?"),
    ("EN?[DJ]{0,2}[WS][FL]{0,3}K(?:[T_]M)?F*[?]", "Hat bei euch jemand Zeit für mich?"),
    (f"[WS][^.?,]{{0,6}}&[DJ_]*[EF][FEDJ_]*[Bm]{_END}", "Does anyone answer or is it only robots?"),
    ("^[hF,]*[WS]L,?[DQ]?[MIFTAY]{0,3}[RrHC]", "Jemand da, der mir hilft?"),
    (
        "(?:^N?|[^_NWSDJUkx])F{0,2}[DJU]{0,4}[WS]F{0,2}L[FL]{0,3}(?:[.?]|$|Q|[RrHK]|T[DJ]*[cowRrHKM])",
        "No human available?",
    ),
    ("^[hEAF,?]*[LD]{0,2}SF?[LMD]{0,2}KD{0,2}(?:[?]|$)", "Hello? Anybody reading this?"),
    ("^[hEAF,?]*K[DLF]{0,3}[SW][FLD]*[?]", "Liest das überhaupt jemand?"),
    (f"{_START}nTQ?[Rr]T?L*[?]", "Nobody to talk to here?"),
    ("[VG][YLFI]{0,3}n[FL]*L(?=[.?]|$)", "Kriegt man bei euch niemanden ans Telefon?"),
    guarded=False,
)
_NO_MACHINE = _ways(
    ("(?<![_DkSW])N[VRrTDFUIAYM_H]{0,6}[RrH][^.?,]{0,6}[Bm]", "I don't want to talk to a machine"),
    ("N[VRrFTDU]{0,5}[DU]{0,3}B(?=[.,FLNVT&]|$)", "A human, not a bot"),
    ("[RrV][IFLM]{0,3}N[TDFU]{0,4}[Bm]", "Darüber spreche ich nicht mit einem Computer"),
    ("NVT?[^.?,]{0,2}T[DU]*[Bm]", "I do not wish to continue with this bot"),
    ("VF?nU*[Bm]", "Ich will keinen Chatbot"),
    ("^DFNED?[c_]TD*[Bm]|^D?(?:NE|EN)D?[c_]TD*[Bm]", "This isn't a question for a robot"),
    ("T[DU]*[Bm]N[Rr]", "Io coi robot non parlo"),
    ("T[DU]*[Bm][_A]?[IDF]{0,4}N[DF]*[Rr]", "Met een computer ga ik dit niet bespreken"),
    ("T[DU]*[Bm][Rr]IF?N", "Mit einem Automaten diskutiere ich nicht"),
    ("Tn[Bm]F?r", "Ich will mit keinem Computer reden"),
    ("O[^.?,B]{0,5}B(?!_)", "Enough of this robot"),
    ("O[^.?,m]{0,5}[RrHo][^.?,m]{0,5}m", "I refuse to talk to a machine"),
    ("OM?,?T[DU]*[Bm][FT]*[Rr]", "Ik weiger met een computer te praten"),
    ("U[DFT]{0,2}B", "You stupid bot"),
    ("B[LEFD]{0,2}N[MF]{0,2}H", "The bot does not help me"),
    ("BH[MF]{0,3}N", "Der Bot hilft mir nicht"),
    (f"{_FROM}[DJ]*[WS]N[DU]*[Bm]", "A human instead of a machine"),
    (f"[Nn][^.?WSVGPRr]{{0,4}},?&F?[DJ]*[WS]{_END}", "Keine Links mehr, sondern einen Menschen"),
    ("GMTD*B", "Haal me van die bot af"),
    ("[DU]B[FU]?O", "Ik ben die bot zat"),
    (f"^[UD]*B,F*[DJU]*[WS],?F*{_END}", "Bot, menselijke medewerker nu"),
    (f"B[F_]{{0,2}}&[LT]{{1,2}}{_WHO}", "Wie komme ich aus dem Bot raus und zu einem Menschen?"),
    ("B[^.?,]{0,3}U", "Your bot keeps looping"),
    guarded=False,
)
_THE_BARE_WORD = _ways(
    (f"{_START}[DJUFTOLRVGMIYw,]*(?:W|JS|SJ|(?<=[RrT])w)[WJDUFLTH,]*(?=[.?]|$)", "Agent"),
    ("^[^.?]{0,10},[DJUFTO]*W[WJDUFL]*(?=[.?]|$)", "Nie pomogło, konsultant"),
    (f"{_FROM}(?=[^.?,]*F)[DJUFTOw]*W[WDJUFLTH]*{_END}", "Human please, this isn't working"),
    (f"{_FROM}(?=[^.?,]*F)F*T[DJUF]*SF*{_END}", "Con una persona por favor"),
    (f"{_FROM}[FDJ]*SF+{_END}", "Pessoa por favor"),
    (f"^F+,[DJ]+S{_END}", "Por dios, una persona"),
    ("^(?:F+,?[DJ]*)?S,?F*[.?]*$", "Persona"),
    (f"V[FI]*(?:RTY|TYr)F*{_END}", "Me urge hablar con ustedes"),
    ("^hD{1,2}J*WF*[.?]*$", "Allô un humain ?"),
    (f"{_START}[F&DJ]*WE[?]", "¿Y el humano dónde está?"),
    (f"(?:^[F&]*E|[VG])D+(?:J+w|wJ)F*{_END}", "Where is the real support?"),
    (f"{_START}[F,D]*w+[F,]*[.?]*$", "Customer service please"),
    (f"b[^.?]{{0,6}}{_WHO}", "Must I beg to talk to a human?"),
    ("^[FDJ]*WT[Dc]{0,2}[_d]?F*[.]?$", "Agent for cancellation"),
    guarded=False,
)
_GROUPS = (  # of shapes, behind the roles of which none of theirs can do without one
    ("RrCoZP", _TALK_TO_SOMEONE),
    ("Ppv", _CONNECT_ME),
    ("GP", _GIVE_ME_SOMEONE),
    ("WSwQTZ", _WANT_SOMEONE),
    ("CZzr", _SOMEONE_CALLS_ME),
    ("HKrC", _SOMEONE_HELPS_ME),
    ("KRHCX", _SOMEONE_TAKES_OVER),
    ("EKLNn&q", _IS_SOMEONE_THERE),
    ("Bm&", _NO_MACHINE),
    ("WSwJY", _THE_BARE_WORD),
)
SHAPES = tuple(shape for _, shapes in _GROUPS for shape in shapes)

_REFUSED = re.compile(
    "N[^.?,BmQI&]{0,2}V[^.?,Bm]{0,7}$"  # don't want to
    "|V[^.?,Bm]{0,3}N[^.?,BmI]{0,5}$"  # Ich will nicht
)
_NOT = re.compile("(?<!A)(?<!AI)(?<!AIF)N[FDTMVI]{0,3}$")  # no, without, instead of; but not "can I not"
_SOMEBODY_ELSES = re.compile("k[^.?,I]{0,7}$|(?<!A)D_[NF]?[VA][FT]*$")  # my wife wants to; my landlord can
_OVER = re.compile("x[^.?,VAG&]{0,6}$")  # j'ai parlé
_RULES = re.compile("(?<!Q)X[^.?]{0,8}$")  # do I have to
_NOBODY = re.compile("n[^.?,I&]{0,4}$")  # nobody needs to call me
_STOPPED = re.compile("e[^.?,&GVA]{0,6}$|OD[^.?,&GVIPAR]{0,5}$")  # how to stop your agents from calling me
_TOLD = re.compile("(?:^A?|D)_H[E,TDF]{0,3}(?:A[TYF]?)?$")  # this book explains how to talk to people
_MUST = re.compile("(?<!Q)y[^.?]*$")  # hace falta …?; but not "whom must I …?"
_SENTENCE = re.compile("[^.?]+[.?]?")
_ANYONE = re.compile("[WSswdnBmCZPpQzv]|TY|oF*V")  # a sentence without any of these asks for nobody


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish to reach a person: where in a text it starts and ends, and whether a guard overrules it."""

    start: int
    end: int
    overruled: bool


def wishes(roles: str) -> Iterator[Wish]:
    """Give what looks like a wish to reach a person, in order."""
    for sentence in _SENTENCE.finditer(roles):
        said = sentence.group()
        if not _ANYONE.search(said):
            continue
        has = set(said)
        for needed, shapes in _GROUPS:
            if has.isdisjoint(needed):
                continue
            for shape in shapes:
                for match in shape.pattern.finditer(said):
                    overruled = shape.guarded and _overruled(said, match.start(), match.end())
                    yield Wish(sentence.start() + match.start(), sentence.start() + match.end(), overruled)


def _overruled(said: str, start: int, end: int) -> bool:
    before = said[:start]
    question = said.endswith("?")
    if "q" not in before and (_REFUSED.search(before) or (not question and _NOT.search(before))):
        return True
    if question and _MUST.search(said[:end]):
        return True
    return any(guard.search(before) for guard in (_SOMEBODY_ELSES, _NOBODY, _OVER, _RULES, _STOPPED, _TOLD))
