//! What `--help` prints.

pub(crate) const HELP: &str = "\
Formats a data set of conversations for training: each row a prompt and what of it is learnt.

Usage: format_dataset [INPUT] [--output FILE] [OPTIONS]

INPUT is JSON Lines, a JSON array or Parquet, as it is or as .gz or .zst, told by its first bytes; - or nothing
is standard input. Each row comes out as
  {\"text\": \"<s>[INST] Hi[/INST] Hello!</s>\", \"mask\": [[19, 30]]}
in the order of the input, on standard output if no file is named.

What to read
  A row is a conversation (`messages`, `conversations`, `conversation`, `interactions` …), a prompt and its answer
  (`prompt` and `completion`, `instruction` and `output` …), the same with a `label`, or a prompt with a `chosen`
  and a `rejected` answer, which come out as chosen_text, rejected_text and so on. Beside it: `tools`, `system`,
  `only_last`; in a message: `weight`, `train`, `loss`. null is absence everywhere. A field that bears on training
  and is not understood is counted by name in the summary.

      --map FIELD=NAME   what the rows call a field: messages, tools, system, prompt, input, completion, history,
                         chosen, rejected, label, only_last, role, content, thinking, tool_calls, tool_call_id,
                         weight
      --role NAME=ROLE   one more name of the role system, user, assistant or tool
      --strict           reject a row with a field that bears on training and is not understood
      --drop-nulls WHERE members that are null (Arrow and Parquet put them where other rows have a value):
                         tools (default: left out of schemas), everywhere (of arguments too), nowhere
      --think-tags       <think>…</think> before a reply is its thinking
      --repair           mend rows that the layout refuses, and list what was mended in the row's `repairs`: ids
                         are replaced, a stray result becomes a user message, an empty reply is left out
      --dedup            reject a row that is laid out as an earlier one
  -d, --dialect NAME     read rows as one API does, and nothing else: sharegpt, openai, mistral, or either of the
                         last two; auto (default) reads all of the above

How to lay it out
  -l, --layout NAME      magnum (default), v3, v7-tekken, v13+think, a model's name …
      --preset FILES     as SillyTavern does, by a preset that comes with the library (magnum, mistral-v7) or by
                         files: context.json,instruct.json; without <s>, which backends set
      --template PATH    by a model's own Jinja template: its folder, a tokenizer_config.json or a
                         chat_template.jinja. What stands in {% generation %} blocks is learnt; a template
                         without any takes --learn everything
      --system-space     (SentencePiece) set a second space before a system prompt, as the trainer that Magnum's
                         card names did in August 2024; the card's own example has one

What to learn
  -m, --learn WHAT       weighted (default: every reply but those that a weight, `train` or `loss` of 0 leaves out,
                         and whatever else `train` asks for), last (the last reply, if its weight is not 0; also what
                         `only_last` asks for; mistral-finetune does so of every row with tools), everything, or
                         roles, whatever the weights: assistant, user, system, tool; set apart by commas
      --last-call-ids W  keep (default) or drop: leave the ids of calls in the last message out, which nobody can
                         predict, as mistral-finetune does
  What follows the last reply is left out: nothing of it is learnt (axolotl keeps it in the prompt). A row without
  a reply, or with an empty one, is a reject (axolotl learns the </s> of an empty reply; --repair drops it).

What to write
  -o, --output FILE      the rows; until they are complete they stand in FILE.part, beside FILE.journal, and FILE is
                         what it was. FILE.done tells what a complete FILE was made of. A FILE that ends in .parquet
                         is Parquet
  -v, --vocabulary FILE  a tekken.json or SentencePiece model: token ids as `input_ids`, `labels` with -100 where
                         nothing is learnt, and `length`; it has to be of the layout's kind
      --controls FILE    a JSON object of control tokens and their ids, beside those of the vocabulary
  -c, --columns LIST     what a row holds: text, mask (byte ranges), mask_chars (the same in code points), segments,
                         length; with a vocabulary also input_ids, labels, attention_mask, token_mask (true where a
                         token is learnt), messages (each token's message, -1 for none)
  -s, --segments         segments too
  -k, --keep             the number of the input's row as `line` and its other columns as `columns`
      --max-length N     the longest row, in tokens with a vocabulary and else in bytes …
      --too-long WHAT    … and what becomes of a longer one: drop (default: a reject), or cut: exchanges at its end
                         are left out
      --pack N           rows in sequences of at most N tokens: input_ids, labels, position_ids, and starts, where
                         each row begins; --max-length is N too
  -e, --on-error WHAT    what to do about a row that cannot be used: skip (default: report it on standard error
                         and go on), stop, or the name of a file that takes it with its line number, offset and
                         reason
      --max-rejects N    exit with 1 if more than N rows are rejects, or more than N% of them
      --show N           show row N of the input, learnt text in colour, and write nothing

How to run
  -t, --threads N        how many threads format (default: one a core)
  -r, --resume           go on where an interrupted run stopped, with the same input and options; needs INPUT and
                         --output
  -q, --quiet            no progress and no summary
  -h, --help             this text

The exit code is 0; 1 if the run failed, no row came out, or too many are rejects; 2 for a command line that makes
no sense; 130 if it was interrupted.

Memory does not grow with the input: a few blocks of 1 MiB for each thread, and the longest row; --dedup adds 16 bytes
a row.";
