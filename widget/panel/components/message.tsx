import { useRef, useState } from 'preact/hooks'
import { counted, fill, panel as words } from '../../strings/en'
import { useChat } from '../context'
import { Chevron, External, Warn } from '../icons'
import { Markdown, Plain, safeHref } from '../markdown'
import type { Message, Unsent } from '../types'
import { AssistantMark, Avatar } from './avatar'
import { Files } from './files'
import { Onward, Rated, Rating } from './rating'

export const clock = (at: string | number) =>
  new Intl.DateTimeFormat(document.documentElement.lang || undefined, { hour: 'numeric', minute: '2-digit' }).format(new Date(at))

/** One message of the assistant or an agent. The first of a group says who is speaking. */
export function Incoming({ message, first, last }: { message: Message; first: boolean; last: boolean }) {
  const { chat } = useChat()
  const machine = message.author.role === 'assistant'
  const asked = message.seq > 0 && chat.asked.value?.id === message.id
  const name = message.author.name || (machine ? (chat.session.value?.assistant.name ?? words.assistant) : words.team)
  return (
    <div class={`row ${machine ? 'from-assistant' : 'from-agent'}`} data-first={first}>
      <div class="side">{first && (machine ? <AssistantMark /> : <Avatar name={name} url={message.author.avatar_url} />)}</div>
      <div class="said">
        {first && (
          <p class="by">
            <span dir="auto">{name}</span>
            {machine && <abbr class="tag" title={words.aiLong}>{words.ai}</abbr>}
          </p>
        )}
        {machine ? <Answer message={message} /> : (
          <div class="bubble">
            {message.text && <Plain text={message.text} />}
            <Files files={message.attachments} />
          </div>
        )}
        {(asked || message.feedback || (last && message.seq > 0)) && (
          <div class="time">
            {last && <time dateTime={message.created_at}>{clock(message.created_at)}</time>}
            {asked ? <Rating message={message} /> : message.feedback && <Rated feedback={message.feedback} />}
          </div>
        )}
        {asked && message.feedback === 'not_helpful' && <Onward />}
      </div>
    </div>
  )
}

/** An answer with its numbered sources; a chip in the text opens the list at its source. */
function Answer({ message }: { message: Message }) {
  const [open, setOpen] = useState(false)
  const list = useRef<HTMLOListElement>(null)
  const citations = message.citations ?? []
  const show = (n: number) => {
    setOpen(true)
    requestAnimationFrame(() => {
      const item = list.current?.querySelector<HTMLElement>(`[data-n="${n}"]`)
      const target = item?.querySelector<HTMLElement>('a') ?? item
      target?.focus()
      item?.scrollIntoView({ block: 'nearest' })
    })
  }
  const cite = (n: number) => {
    const citation = citations.find((each) => each.n === n)
    if (!citation) return null
    const label = fill(words.source, { n, title: citation.title })
    return <button type="button" class="chip" aria-label={label} title={citation.title} onClick={() => show(n)}>{n}</button>
  }
  return (
    <div class="bubble">
      <Markdown text={message.text} cite={cite} />
      <Files files={message.attachments} />
      {citations.length > 0 && (
        <div class="sources">
          <button type="button" class="disclose" aria-expanded={open} onClick={() => setOpen(!open)}>
            <Chevron />{counted(words.sources, citations.length)}
          </button>
          {open && (
            <ol ref={list}>
              {citations.map(({ n, title, url }) => {
                const href = url && safeHref(url)
                return (
                  <li data-n={n} tabIndex={href ? undefined : -1}>
                    <span class="n" aria-hidden="true">{n}</span>
                    {href ? (
                      <a href={href} target="_blank" rel="noopener noreferrer nofollow" dir="auto">
                        {title}<External /><span class="unseen"> ({words.newTab})</span>
                      </a>
                    ) : <span dir="auto">{title}</span>}
                  </li>
                )
              })}
            </ol>
          )}
        </div>
      )}
    </div>
  )
}

/** A message of the customer that the server has. */
export function Outgoing({ message, last, newest }: { message: Message; last: boolean; newest: boolean }) {
  const failed = message.delivery === 'failed'
  return (
    <div class="row from-customer">
      <div class="said">
        <p class="unseen">{words.you}</p>
        <div class="bubble">
          {message.text && <Plain text={message.text} />}
          <Files files={message.attachments} />
        </div>
        {failed ? <p class="time problem"><Warn />{words.notDelivered}</p> : last && (
          <p class="time">
            {newest && <>{message.delivery === 'delivered' ? words.delivered : words.sent} · </>}
            <time dateTime={message.created_at}>{clock(message.created_at)}</time>
          </p>
        )}
      </div>
    </div>
  )
}

/** A message of the customer that has not arrived, and what can be done about it. */
export function Waiting({ item }: { item: Unsent }) {
  const { chat } = useChat()
  const stuck = item.state === 'failed' || item.state === 'refused' || item.state === 'closed'
  return (
    <div class="row from-customer unsent" data-state={item.state}>
      <div class="said">
        <p class="unseen">{words.you}</p>
        <div class="bubble">
          {item.text && <Plain text={item.text} />}
          {item.files?.map(({ name }) => <p dir="auto">{fill(words.attachment, { name })}</p>)}
        </div>
        {stuck ? (
          <p class="time problem" role="alert">
            <Warn />
            <span>{item.state === 'closed' ? words.closedMeanwhile : words.notSent}</span>
            <button type="button" onClick={item.state === 'closed' ? chat.resend : chat.retry}>
              {item.state === 'closed' ? words.sendInNewChat : words.tryAgain}
            </button>
            <button type="button" onClick={() => chat.discard(item.id)}>{words.remove}</button>
          </p>
        ) : <p class="time">{item.state === 'queued' ? words.queued : words.sending}</p>}
      </div>
    </div>
  )
}
