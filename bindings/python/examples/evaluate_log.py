"""What is wrong with the prompts of a log, by a layout: `python examples/evaluate_log.py`."""

import mistral_chat_template as mct

LOG = [
    "<s>[INST]Hi[/INST]Hello!</s>[INST]Bye[/INST]",
    "<s><s>[INST]Hi[/INST] Hello!</s>[INST]Bye[/INST]",
]


def main() -> None:
    layout = mct.Layout("v7-tekken")
    for prompt in LOG:
        explanation = mct.Explanation(prompt, layout)
        print(f"{len(explanation.chat)} messages, {len(explanation.deviations)} deviations")
        for deviation in explanation.deviations:
            print(f"  {deviation['start']}..{deviation['stop']}: {deviation['what']}")


if __name__ == "__main__":
    main()
