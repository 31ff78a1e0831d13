"""A server's loop: a request in, deltas out, sampled ids kept: `python examples/server_loop.py TEKKEN_JSON`."""

import sys

import mistral_chat_template as mct


def main(vocabulary_path: str) -> None:
    layout, vocabulary = mct.Layout("v13"), mct.Vocabulary(vocabulary_path)
    stop = vocabulary.control_id("</s>")

    def sample(ids, answer):
        """A model would go on from `ids`."""
        return [*vocabulary.encode(answer, word_start=False).tolist(), stop]

    request = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    chat, _repairs = mct.repair(request, layout)
    conversation = mct.Conversation(layout, chat, vocabulary)
    for answer, question in [("Hello!", "Who are you?"), ("A model.", "Bye")]:
        reader = mct.CompletionReader(layout)
        sampled = sample(conversation.ids, answer)
        deltas = [delta for id in sampled for delta in reader.push_ids(id, vocabulary)] + reader.finish()
        print("".join(delta.get("content", "") for delta in deltas), reader.completion.finish_reason)
        conversation.reply(reader.completion, sampled)
        start, end = conversation.append([{"role": "user", "content": question}])
        print("to be read:", vocabulary.decode(conversation.ids[start:end]))
    print("drift:", conversation.drift())


if __name__ == "__main__":
    main(*sys.argv[1:])
