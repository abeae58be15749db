import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { fill, panel as words } from '../../strings/en'
import { useChat } from '../context'
import { Down } from '../icons'
import { fromUs } from '../thread'
import type { Message } from '../types'
import { AssistantMark, Avatar } from './avatar'
import { Incoming, Outgoing, Waiting } from './message'

const NEAR_PX = 80

export function Thread() {
  const { chat } = useChat()
  const scroller = useRef<HTMLDivElement>(null)
  const inner = useRef<HTMLDivElement>(null)
  const [behind, setBehind] = useState(false)
  const stuck = useRef(true)
  const height = useRef(0)
  const messages = chat.thread.value
  const unsent = chat.mine.value

  const toEnd = () => {
    const box = scroller.current
    if (box) box.scrollTop = box.scrollHeight
  }
  // Stay at the end while the reader is there, whatever changes in height.
  useEffect(() => {
    const observer = new ResizeObserver(() => stuck.current && toEnd())
    observer.observe(scroller.current!)
    observer.observe(inner.current!)
    return () => observer.disconnect()
  }, [])
  useLayoutEffect(() => {
    stuck.current = true
    toEnd()
  }, [unsent.length, chat.current.value])

  const scrolled = () => {
    const box = scroller.current!
    const near = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX
    // Only a reader moves up; what moves down may be us, late.
    if (near) stuck.current = true
    else if (box.scrollTop < height.current) stuck.current = false
    height.current = box.scrollTop
    setBehind(!stuck.current)
  }
  const newestOwn = messages.findLast((message) => message.author.role === 'customer')

  return (
    <div class="middle">
      <div class="thread" ref={scroller} onScroll={scrolled} role="log" aria-live="off" aria-label={words.conversation} tabIndex={0}>
        <div ref={inner}>
          <Greeting />
          {messages.map((message, index) => (
            <Entry key={message.id} message={message} before={messages[index - 1]} after={messages[index + 1]} newest={message === newestOwn && !unsent.length} />
          ))}
          {unsent.map((item) => <Waiting key={item.id} item={item} />)}
          <Growing />
          <Typing />
        </div>
      </div>
      {behind && (
        <button type="button" class="jump" onClick={toEnd}><Down />{words.latest}</button>
      )}
    </div>
  )
}

interface Neighbours { message: Message; before: Message | undefined; after: Message | undefined; newest: boolean }

function Entry({ message, before, after, newest }: Neighbours) {
  const day = new Date(message.created_at).toDateString()
  const newDay = before !== undefined && new Date(before.created_at).toDateString() !== day
  const first = newDay || !sameSpeaker(message, before)
  const last = !sameSpeaker(message, after)
  return (
    <>
      {newDay && <p class="notice"><time dateTime={message.created_at}>{dayName(message.created_at)}</time></p>}
      {fromUs(message.author.role) ? <Incoming message={message} first={first} last={last} />
        : message.author.role === 'customer' ? <Outgoing message={message} last={last} newest={newest} />
        : <NoticeLine message={message} />}
    </>
  )
}

function sameSpeaker(one: Message, other: Message | undefined): boolean {
  return other !== undefined && one.author.role === other.author.role && one.author.name === other.author.name
}

function dayName(at: string): string {
  const day = new Date(at)
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000)
  if (days === 0) return words.today
  if (days === 1) return words.yesterday
  return new Intl.DateTimeFormat(document.documentElement.lang || undefined, { day: 'numeric', month: 'long' }).format(day)
}

/** What a notice says: the server's sentence if it sent one, else ours. */
export function noticeText(message: Message): string {
  if (message.text) return message.text
  const sentence = message.notice ? words[`notice_${message.notice}`] : ''
  return fill(sentence, { name: message.author.name || words.someone })
}

function NoticeLine({ message }: { message: Message }) {
  const { chat } = useChat()
  const joined = message.notice === 'agent_joined' || message.notice === 'agent_changed'
  const agent = chat.conversation.value?.handoff?.agent
  const name = message.author.name || agent?.name
  return (
    <p class="notice" data-notice={message.notice ?? undefined}>
      {joined && name && <Avatar name={name} url={message.author.avatar_url ?? agent?.avatar_url} />}
      <span dir="auto">{noticeText(message)}</span>
    </p>
  )
}

/** Ours, not the server's: says what is speaking before it speaks, and how to reach a person. */
function Greeting() {
  const { chat } = useChat()
  const assistant = chat.session.value?.assistant.name ?? words.assistant
  const introduced = assistant === words.assistant ? words.anAssistant : fill(words.namedAssistant, { name: assistant })
  const on = chat.assistantOn.value
  const text = on ? fill(words.greeting, { assistant: introduced, organisation: chat.organisationName.value }) : words.greetingOff
  const empty = chat.thread.value.length === 0 && chat.mine.value.length === 0
  const greeting: Message = {
    id: 'greeting', seq: 0, text, created_at: '', delivery: 'none',
    author: { role: on ? 'assistant' : 'agent', name: on ? assistant : chat.organisationName.value },
  }
  return (
    <>
      {empty && !chat.loading.value && (
        <div class="welcome">
          <h2>{words.welcome}</h2>
          <p>{on ? words.lead : words.leadOff}</p>
        </div>
      )}
      <Incoming message={greeting} first last />
      {!chat.lasting && <p class="notice"><span>{words.memoryOnly}</span></p>}
    </>
  )
}

/** The assistant's answer as far as it has come; screen readers hear it once it is whole. */
function Growing() {
  const { chat } = useChat()
  const draft = chat.growing.value
  if (!draft) return null
  const message: Message = {
    ...draft, seq: 0, created_at: '', delivery: 'none',
    author: { role: 'assistant', name: chat.session.value?.assistant.name ?? null },
  }
  return <Incoming message={message} first last={false} />
}

function Typing() {
  const { chat } = useChat()
  const role = chat.typing.value
  if (!role) return null
  const agent = chat.conversation.value?.handoff?.agent?.name || words.team
  const text = role === 'assistant' ? words.thinking : fill(words.typing, { name: agent })
  return (
    <div class={`row typing ${role === 'assistant' ? 'from-assistant' : 'from-agent'}`}>
      <div class="side">{role === 'assistant' ? <AssistantMark /> : <Avatar name={agent} />}</div>
      <p class="bubble"><i /><i /><i /><span>{text}</span></p>
    </div>
  )
}
