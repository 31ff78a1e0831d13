//! The commands of the README, run.

use serde_json::Value;

use crate::support::Server;

/// The blocks of code of a kind, each with the block that follows.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let parts: Vec<&str> = include_str!("../../README.md").split("```").collect();
    parts.iter().skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect()
}

#[test]
fn what_the_readme_asks_is_answered_as_it_says() {
    let server = Server::start(&[]);
    let blocks = blocks();
    let mut asked = 0;
    for (index, (_, code)) in blocks.iter().enumerate().filter(|(_, (kind, _))| *kind == "sh") {
        for command in code.lines().filter(|line| line.starts_with("curl ")) {
            let (url, body) = command.split_once(" -d '").unwrap();
            let path = url.split_once(":8080").unwrap().1;
            let (status, answer) = server.post_text(path, body.strip_suffix('\'').unwrap());
            match blocks.get(index + 1) {
                Some(("json", expected)) => {
                    let [answer, expected]: [Value; 2] =
                        [&answer, *expected].map(|json| serde_json::from_str(json).unwrap());
                    assert_eq!(answer, expected, "{command}");
                }
                _ => assert_eq!(status, 200, "{command}: {answer}"),
            }
            asked += 1;
        }
    }
    assert_eq!(asked, 8);
    server.is_well();
}
