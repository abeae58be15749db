import { useEffect, useState } from 'preact/hooks'
import { panel as words } from '../strings/en'
import type { Chat } from './chat'
import { Composer, COMPOSER } from './components/composer'
import { Ended } from './components/ended'
import { Header } from './components/header'
import { Announcer, Status, Strip } from './components/status'
import { noticeText, Thread } from './components/thread'
import { ChatContext } from './context'
import { Clip } from './icons'
import { fromUs, spoken, type Stage } from './thread'

export const focusComposer = () => document.getElementById(COMPOSER)?.focus()

const ALOUD: Partial<Record<Stage, string>> = { connecting: words.connecting, waiting: words.waiting, failed: words.escalationFailed }

export function App({ chat, close }: { chat: Chat; close(focus: boolean): void }) {
  const [sentence, setSentence] = useState('')
  const [dragging, setDragging] = useState(false)
  const ending = chat.ending.value
  const news = chat.announcement.value
  const stage = chat.stage.value

  useEffect(() => {
    if (!news) return
    const name = news.author.name || words.team
    setSentence(fromUs(news.author.role) ? `${name}: ${spoken(news)}` : noticeText(news))
  }, [news])
  const about = chat.report.value
  useEffect(() => {
    if (about) setSentence(about)
  }, [about])
  useEffect(() => {
    const aloud = ALOUD[stage]
    if (aloud) setSentence(aloud)
  }, [stage])
  useEffect(() => {
    const escape = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.isComposing) close(true)
    }
    document.addEventListener('keydown', escape)
    return () => document.removeEventListener('keydown', escape)
  }, [])

  const report = (text: string) => setSentence(text)
  const ask = () => {
    chat.dismissEnding()
    requestAnimationFrame(focusComposer)
  }
  return (
    <ChatContext.Provider value={{ chat, report }}>
      <main
        class="panel" data-stage={stage} data-dragging={dragging} aria-label={chat.organisationName.value}
        onDragOver={(event) => {
          if (ending || !event.dataTransfer?.types.includes('Files')) return
          event.preventDefault()
          setDragging(true)
        }}
        onDragLeave={(event) => event.currentTarget.contains(event.relatedTarget as Node | null) || setDragging(false)}
        onDrop={(event) => {
          setDragging(false)
          if (ending || !event.dataTransfer?.files.length) return
          event.preventDefault()
          chat.uploads.add(event.dataTransfer.files)
        }}
      >
        {dragging && <p class="drop"><Clip />{words.drop}</p>}
        <Header close={() => close(true)} />
        <Strip />
        <Status />
        <Thread />
        {ending ? <Ended how={ending} ask={ask} /> : <Composer />}
        <Announcer sentence={sentence} />
      </main>
    </ChatContext.Provider>
  )
}
