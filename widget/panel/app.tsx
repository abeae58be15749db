import { useEffect, useState } from 'preact/hooks'
import { panel as words } from '../strings/en'
import type { Chat } from './chat'
import { Composer, COMPOSER } from './components/composer'
import { Ended } from './components/ended'
import { Header } from './components/header'
import { Announcer, Status, Strip } from './components/status'
import { noticeText, Thread } from './components/thread'
import { ChatContext } from './context'
import { fromUs, type Stage } from './thread'

export const focusComposer = () => document.getElementById(COMPOSER)?.focus()

const SPOKEN: Partial<Record<Stage, string>> = { connecting: words.connecting, waiting: words.waiting, failed: words.escalationFailed }

export function App({ chat, close }: { chat: Chat; close(focus: boolean): void }) {
  const [sentence, setSentence] = useState('')
  const ending = chat.ending.value
  const news = chat.announcement.value
  const stage = chat.stage.value

  useEffect(() => {
    if (!news) return
    const name = news.author.name || words.team
    setSentence(fromUs(news.author.role) ? `${name}: ${news.text}` : noticeText(news))
  }, [news])
  useEffect(() => {
    const spoken = SPOKEN[stage]
    if (spoken) setSentence(spoken)
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
      <main class="panel" data-stage={stage} aria-label={chat.organisationName.value}>
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
