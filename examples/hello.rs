//! A chat in, a prompt out.

use mistral_chat_template::{Chat, Error, Format, Layout, Message};

fn main() -> Result<(), Error> {
    let chat = Chat::new([Message::system("Answer in French."), Message::user("Good morning!")]);
    let prompt = Layout::MAGNUM.render(&chat)?;
    println!("{prompt}");
    println!("stop at {}", prompt.stop_strings().join(" "));
    Ok(())
}
