import { useEffect, useRef, useState } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import { panel as words } from '../../strings/en'
import { useChat } from '../context'
import { Back, Close, More, Plus, Stop } from '../icons'
import type { Stage } from '../thread'
import { AssistantMark, Avatar } from './avatar'

const SUBTITLES: Record<Stage, string> = {
  assistant: words.assistantSubtitle,
  failed: words.assistantSubtitle,
  connecting: words.connectingSubtitle,
  waiting: words.waitingSubtitle,
  live: words.teamSubtitle,
  ticket: words.ticketSubtitle,
  ended: words.endedSubtitle,
}

export function Header({ close }: { close(): void }) {
  const { chat } = useChat()
  const shown = chat.stage.value === 'ended' && !chat.ending.value ? 'assistant' : chat.stage.value
  const agent = shown === 'live' ? chat.conversation.value?.handoff?.agent : null
  const name = agent?.name || (shown === 'live' ? words.team : chat.organisationName.value)
  const withAssistant = shown === 'assistant' || shown === 'failed'
  return (
    <header class="header" data-with={shown}>
      {shown === 'live' ? <Avatar name={name} url={agent?.avatar_url} size="large" /> : <AssistantMark size="large" />}
      <div class="who">
        <h1 dir="auto">{name}</h1>
        <p>{agent ? chat.organisationName.value : chat.assistantOn.value || !withAssistant ? SUBTITLES[shown] : words.team}</p>
      </div>
      {withAssistant && (
        <button type="button" class="talk" disabled={chat.asking.value} onClick={() => void chat.escalate()}>
          {chat.asking.value ? words.talking : words.talk}
        </button>
      )}
      <Menu stage={shown} />
      <button type="button" class="round" aria-label={words.close} onClick={close}><Close /></button>
    </header>
  )
}

/** What else can be done in this state: leave the team, end, begin anew. */
function Menu({ stage }: { stage: Stage }) {
  const { chat, report } = useChat()
  const [open, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const list = useRef<HTMLDivElement>(null)

  useEffect(() => {
    if (!open) return
    list.current?.querySelector('button')?.focus()
    const outside = (event: Event) => {
      const target = event.target as Node
      if (!list.current?.contains(target) && !button.current?.contains(target)) setOpen(false)
    }
    document.addEventListener('pointerdown', outside)
    document.addEventListener('focusin', outside)
    return () => {
      document.removeEventListener('pointerdown', outside)
      document.removeEventListener('focusin', outside)
    }
  }, [open])

  const withTeam = stage === 'live' || stage === 'waiting' || stage === 'connecting' || stage === 'ticket'
  if (!withTeam && stage !== 'ended') return null

  const choose = (work: () => unknown) => () => {
    setOpen(false)
    button.current?.focus()
    Promise.resolve(work()).catch(() => report(words.releaseFailed))
  }
  const choice = (icon: ComponentChildren, label: string, work: () => unknown) => (
    <button type="button" onClick={choose(work)}>{icon}{label}</button>
  )
  return (
    <div
      class="menu"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return
        event.stopPropagation()
        setOpen(false)
        button.current?.focus()
      }}
    >
      <button ref={button} type="button" class="round" aria-label={words.menu} aria-expanded={open} onClick={() => setOpen(!open)}>
        <More class="icon dots" />
      </button>
      {open && (
        <div ref={list} class="choices">
          {withTeam && stage !== 'connecting' && choice(<Back />, words.backToAssistant, chat.release)}
          {stage === 'live' && choice(<Stop />, words.endChat, chat.close)}
          {!withTeam || stage === 'ticket' ? choice(<Plus />, words.newChat, chat.newChat) : null}
          {stage === 'connecting' && choice(<Back />, words.backToAssistant, chat.release)}
        </div>
      )}
    </div>
  )
}
