//! What `--help` prints.

pub(crate) const HELP: &str = "\
Formats a data set of conversations for training: each row a prompt and what of it is learnt.

Usage: format_dataset [INPUT] [--output FILE] [OPTIONS]

INPUT is JSON Lines, a JSON array or Parquet, plain or compressed (.gz, .zst), recognised by its first bytes; - or
nothing is standard input. Each row is written as
  {\"text\": \"<s>[INST] Hi[/INST] Hello!</s>\", \"mask\": [[19, 30]]}
in the order of the input, to standard output unless a file is named.

What to read
  A row is a conversation (`messages`, `conversations`, `conversation`, `interactions` …), a prompt and its answer
  (`prompt` and `completion`, `instruction` and `output` …), the same with a `label`, or a prompt with a `chosen`
  and a `rejected` answer, which come out as chosen_text, rejected_text and so on. Beside it: `tools`, `system`,
  `only_last`; in a message: `weight`, `train`, `loss`. A null counts as absent. Fields that bear
  on training and are not understood are counted by name in the summary.

      --map FIELD=NAME   what the rows call a field: messages, tools, system, prompt, input, completion, history,
                         chosen, rejected, label, only_last, role, content, thinking, tool_calls, tool_call_id,
                         weight
      --role NAME=ROLE   another name for the role system, user, assistant or tool
      --strict           reject a row with a field that bears on training and is not understood
      --drop-nulls WHERE drop members that are null, which Arrow and Parquet add where other rows have a value:
                         in tools (default: from their schemas), everywhere (from arguments too) or nowhere
      --think-tags       <think>…</think> before a reply is its thinking
      --repair           repair rows that the layout refuses, and list the repairs in the row's `repairs`: ids are
                         replaced, a stray result becomes a user message, an empty reply is dropped
      --dedup            reject a row whose output text equals an earlier one's
  -d, --dialect NAME     read rows as one API does, and no other shape: sharegpt, openai, mistral, or either (of
                         the last two); auto (default) reads all of the above

How to lay it out
  -l, --layout NAME      magnum (default), v3, v7-tekken, v13+think, a model's name …
      --preset FILES     as SillyTavern does, with a built-in preset (magnum, mistral-v7) or with files:
                         context.json,instruct.json; without <s>, which backends add
      --template PATH    with a model's own Jinja template: its folder, a tokenizer_config.json or a
                         chat_template.jinja. The loss covers its {% generation %} blocks; a template
                         without any needs --learn everything
      --system-space     (SentencePiece) put a second space before a system prompt, as the trainer named on Magnum's
                         card did in August 2024; the card's own example has one

What to learn
  -m, --learn WHAT       weighted (default: every reply but those that a weight, `train` or `loss` of 0 leaves out,
                         and whatever else `train` asks for), last (the last reply, if its weight is not 0; also what
                         `only_last` asks for), mistral-finetune (last for rows with tools, weighted for others; that
                         trainer also does what --last-call-ids drop does), everything, or roles, whatever the
                         weights: assistant, user, system, tool; separated by commas
      --last-call-ids W  keep (default) or drop: leave the ids of calls in the last message out, which nobody can
                         predict, as mistral-finetune does
  What follows the last reply is left out: nothing of it is learnt (axolotl keeps it in the prompt). A row without
  a reply, or with an empty one, is a reject (axolotl learns the </s> of an empty reply; --repair drops it).

What to write
  -o, --output FILE      where the rows go. Until the run is complete they are in FILE.part and FILE.journal, and
                         FILE is unchanged; FILE.done then records what FILE was made from. A name that ends in
                         .parquet makes it Parquet
  -v, --vocabulary FILE  a tekken.json or SentencePiece model: token ids as `input_ids`, `labels` with -100 where
                         nothing is learnt, and `length`; it must be of the layout's kind
      --controls FILE    a JSON object of control tokens and their ids, in addition to the vocabulary's
  -c, --columns LIST     what a row holds: text, mask (byte ranges), mask_chars (the same in code points), segments,
                         length; with a vocabulary also input_ids, labels, attention_mask, token_mask (true where a
                         token is learnt), messages (each token's message, -1 for none)
  -s, --segments         segments too
  -k, --keep             the number of the input's row as `line` and its other columns as `columns`
      --max-length N     the longest row, in tokens with a vocabulary and else in bytes …
      --too-long WHAT    … and what to do with a longer one: drop (default: reject it), or cut exchanges off its end
      --pack N           rows in sequences of at most N tokens: input_ids, labels, position_ids, and starts, where
                         each row begins; --max-length is N too, and a pair is a reject
  -e, --on-error WHAT    what to do with a row that cannot be used: skip (default: report it on standard error and
                         go on), stop, or write it to the named file with its line number, offset and reason
      --max-rejects N    exit with 1 if more than N rows are rejects, or more than N% of them
      --show N           show row N of the input, learnt text in colour, and write nothing

How to run
  -t, --threads N        how many threads format (default: one a core)
  -r, --resume           continue an interrupted run, with the same input and options; needs INPUT and --output
  -q, --quiet            no progress and no summary
  -h, --help             this text

The exit code is 0; 1 if the run failed, no row was written, or too many were rejected; 2 for a wrong command line;
130 if it was interrupted.

Memory does not grow with the input: a few blocks of 1 MiB for each thread, and the longest row; --dedup adds 16 bytes
a row.";
