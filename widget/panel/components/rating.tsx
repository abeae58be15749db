import { panel as words } from '../../strings/en'
import { useChat } from '../context'
import { ThumbDown, ThumbUp } from '../icons'
import type { Feedback, Message } from '../types'

/** Two quiet buttons beneath the latest answer; the same one again takes it back. */
export function Rating({ message }: { message: Message }) {
  const { chat, report } = useChat()
  const given = message.feedback ?? null
  const rate = (feedback: Feedback) => {
    const now = given === feedback ? null : feedback
    if (now === 'not_helpful') report(`${words.sorry} ${words.talk}`)
    void chat.rate(message, now).catch(() => report(words.feedbackFailed))
  }
  const button = (feedback: Feedback, label: string, Thumb: typeof ThumbUp) => (
    <button type="button" class="thumb" aria-pressed={given === feedback} aria-label={label} title={label} onClick={() => rate(feedback)}>
      <Thumb />
    </button>
  )
  return (
    <div class="rating" role="group" aria-label={words.feedback}>
      {button('helpful', words.helpful, ThumbUp)}
      {button('not_helpful', words.notHelpful, ThumbDown)}
    </div>
  )
}

/** What was found of an earlier answer. */
export function Rated({ feedback }: { feedback: Feedback }) {
  const helpful = feedback === 'helpful'
  const label = helpful ? words.foundHelpful : words.foundNotHelpful
  return <span class="rated" role="img" aria-label={label} title={label}>{helpful ? <ThumbUp /> : <ThumbDown />}</span>
}

/** Where to go from an answer that did not help: on in words, or to a person. It goes nowhere by itself. */
export function Onward() {
  const { chat } = useChat()
  return (
    <p class="onward">
      {words.sorry} <button type="button" class="link" disabled={chat.asking.value} onClick={() => void chat.escalate()}>{words.talk}</button>
    </p>
  )
}
