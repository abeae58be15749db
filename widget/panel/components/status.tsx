import { useEffect, useRef, useState } from 'preact/hooks'
import { fill, panel as words } from '../../strings/en'
import { useChat } from '../context'
import { Cloud, Mail, Warn } from '../icons'
import { EmailForm } from './email'

const SAY_SO_AFTER_MS = 2000

/** The line to the server, said only once it has been down long enough to matter. */
export function Strip() {
  const { chat } = useChat()
  const down = !chat.connected.value
  const [late, setLate] = useState(false)
  useEffect(() => {
    setLate(false)
    if (!down) return
    const timer = setTimeout(() => setLate(true), SAY_SO_AFTER_MS)
    return () => clearTimeout(timer)
  }, [down])
  const text = !chat.online.value ? words.offline
    : chat.unavailable.value ? words.unavailable
    : down && late ? words.reconnecting
    : null
  return (
    <div class="strip" role="status" data-shown={text !== null}>
      {text && <><Cloud /><span>{text}</span></>}
      {text && chat.unavailable.value && <button type="button" onClick={() => void chat.begin()}>{words.tryAgain}</button>}
    </div>
  )
}

/** Where the conversation stands while it is neither the assistant's nor an agent's. */
export function Status() {
  const { chat, report } = useChat()
  const [asked, setAsked] = useState(false)
  const stage = chat.stage.value
  const handoff = chat.conversation.value?.handoff
  useEffect(() => setAsked(false), [stage, handoff?.id])

  if (chat.escalationFailed.value || stage === 'failed') {
    return (
      <section class="status problem" role="alert">
        <Warn />
        <div>
          <h2>{words.escalationFailed}</h2>
          <p>{words.escalationFailedHint}</p>
          <div class="actions">
            <button type="button" class="primary" disabled={chat.asking.value} onClick={() => void chat.escalate()}>{words.tryAgain}</button>
          </div>
        </div>
      </section>
    )
  }
  if (!handoff || !['connecting', 'waiting', 'ticket', 'live'].includes(stage)) return null
  const form = asked || handoff.needs_email
  if (stage === 'live' && !form) return null

  const email = chat.email.value
  const back = () => void chat.release().catch(() => report(words.releaseFailed))
  const leaveMessage = () => void chat.leaveMessage().catch(() => report(words.escalationFailedHint))
  const change = (label: string) => <button type="button" class="link" onClick={() => setAsked(true)}>{label}</button>
  const title = { connecting: handoff.mode === 'ticket' ? words.creating : words.connecting, waiting: words.waiting,
    ticket: handoff.ticket_id ? fill(words.ticketNumber, { ticket: handoff.ticket_id }) : words.ticketCreated, live: '' }[stage as 'live']
  const hint = stage === 'ticket' ? (email ? fill(words.ticketReply, { email }) : words.ticketReplyHere)
    : stage === 'waiting' ? (email ? fill(words.waitingEmail, { email }) : words.waitingHint)
    : words.connectingHint

  return (
    <section class="status" aria-label={title || words.emailTitle} data-stage={stage}>
      {stage === 'ticket' || stage === 'live' ? <Mail /> : <span class="climb" aria-hidden="true"><i /><i /><i /></span>}
      <div>
        {title && <h2>{title}</h2>}
        {!form && <p>{stage === 'ticket' && handoff.ticket_id && <>{words.ticketCreated}. </>}<span dir="auto">{hint}</span></p>}
        {form ? (
          <EmailForm focus={asked} done={() => setAsked(false)} cancel={handoff.needs_email ? null : () => setAsked(false)} />
        ) : (
          <div class="actions">
            {stage === 'waiting' && <button type="button" class="link" onClick={leaveMessage}>{words.leaveMessage}</button>}
            {stage === 'waiting' && <button type="button" class="link" onClick={back}>{words.backToAssistant}</button>}
            {stage === 'ticket' && email && change(words.change)}
          </div>
        )}
      </div>
    </section>
  )
}

/** Say whole messages and changes of state to people who listen. Text that grows is never put here. */
export function Announcer({ sentence }: { sentence: string }) {
  const region = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!sentence || !region.current) return
    const line = document.createElement('p')
    line.textContent = sentence
    region.current.append(line)
    const node = region.current
    const timer = setTimeout(() => line.remove(), 8000)
    return () => {
      clearTimeout(timer)
      if (node.childElementCount > 3) node.firstElementChild?.remove()
    }
  }, [sentence])
  return <div class="unseen" ref={region} role="status" aria-live="polite" />
}
