import { useEffect, useRef } from 'preact/hooks'
import { fill, panel as words } from '../../strings/en'
import { useChat } from '../context'
import { Check, Clock } from '../icons'
import type { Ending } from '../types'

/** Say which ending it was, and what can be done next. */
export function Ended({ how, ask }: { how: Ending; ask(): void }) {
  const { chat } = useChat()
  const heading = useRef<HTMLHeadingElement>(null)
  const handoff = chat.conversation.value?.handoff
  const closed = chat.conversation.value?.status === 'closed'
  const [title, hint] = sentences(how, handoff?.agent?.name ?? null, handoff?.ticket_id ?? null)

  // The composer is gone; do not leave the keyboard nowhere.
  useEffect(() => {
    if (document.activeElement === document.body && chat.open.value && document.hasFocus()) heading.current?.focus()
  }, [])

  return (
    <section class="ended" aria-labelledby="ended">
      {how === 'inactive' ? <Clock /> : <Check />}
      <h2 id="ended" ref={heading} tabIndex={-1}>{title}</h2>
      <p>{hint}</p>
      <div class="actions">
        {chat.assistantOn.value && !closed && <button type="button" class="primary" onClick={ask}>{words.askAssistant}</button>}
        {closed && <button type="button" class="primary" onClick={chat.newChat}>{words.newChat}</button>}
        <button type="button" class="secondary" disabled={chat.asking.value} onClick={() => void chat.escalate()}>{words.talkAgain}</button>
      </div>
    </section>
  )
}

function sentences(how: Ending, agent: string | null, ticket: string | null): [string, string] {
  switch (how) {
    case 'by_agent':
      return [agent ? fill(words.endedByAgent, { name: agent }) : words.endedByTeam, words.endedByAgentHint]
    case 'inactive':
      return [words.endedInactive, words.endedInactiveHint]
    case 'closed':
      return [ticket ? fill(words.endedClosedTicket, { ticket }) : words.endedClosed, words.endedClosedHint]
    case 'by_customer':
      return [words.endedByCustomer, words.endedByCustomerHint]
    case 'unknown':
      return [words.endedUnknown, words.endedUnknownHint]
  }
}
