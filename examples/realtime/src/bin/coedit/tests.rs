//! Editors, in one process and without sockets.

use rpc_runtime::testing;

use super::*;

fn edit(at: u32, removed: u32, inserted: &str) -> Edit {
    let inserted = inserted.to_owned();
    Edit {
        at,
        removed,
        inserted,
    }
}

/// A text after an edit, and after another whose author knew nothing of the first.
fn both(text: &str, first: &Edit, mut second: Edit) -> String {
    let mut text = text.to_owned();
    first.apply(&mut text).unwrap();
    second.rebase(first);
    second.apply(&mut text).unwrap();
    text
}

#[test]
fn an_edit_is_moved_behind_what_its_author_did_not_know() {
    let text = "0123456789";
    for (first, second, expected) in [
        // In front, behind, and at the same place, where the first stays first.
        (edit(2, 0, "ab"), edit(5, 0, "X"), "01ab234X56789"),
        (edit(5, 0, "ab"), edit(2, 0, "X"), "01X234ab56789"),
        (edit(5, 0, "ab"), edit(5, 0, "X"), "01234abX56789"),
        (edit(2, 3, ""), edit(7, 2, "X"), "0156X9"),
        // What is gone already cannot be removed again.
        (edit(2, 4, ""), edit(2, 4, ""), "016789"),
        (edit(2, 4, ""), edit(4, 4, "X"), "01X89"),
        (edit(4, 4, ""), edit(2, 4, "X"), "01X89"),
        (edit(2, 6, ""), edit(4, 2, "X"), "01X89"),
        // What comes in its place stays.
        (edit(2, 2, "ab"), edit(2, 2, "X"), "01abX456789"),
        (edit(5, 0, "ab"), edit(3, 2, ""), "012ab56789"),
    ] {
        assert_eq!(
            both(text, &first, second.clone()),
            expected,
            "{first:?} {second:?}"
        );
    }
}

#[test]
fn places_are_characters_and_not_bytes() {
    let mut text = "grüße, 👋!".to_owned();
    edit(7, 1, "你好").apply(&mut text).unwrap();
    assert_eq!(text, "grüße, 你好!");
    for beyond in [edit(11, 0, "x"), edit(9, 2, ""), edit(u32::MAX, u32::MAX, "")] {
        assert!(beyond.apply(&mut text).is_err(), "{beyond:?}");
    }
    assert_eq!(text, "grüße, 你好!");
}

/// Numbers that look random, and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

#[tokio::test(start_paused = true)]
async fn two_who_type_at_once_have_the_same_text_in_the_end_and_so_has_who_comes_late() {
    let server = testing::serve(server().unwrap());
    let mut editors = [
        Editor::open(&server.client()).await.unwrap(),
        Editor::open(&server.client()).await.unwrap(),
    ];
    let mut numbers = Numbers(7);
    let (mut edits, mut heard) = (0, [0, 0]);
    for _ in 0..300 {
        let who = numbers.below(2);
        // Each hears some of what has happened, and then types something.
        for _ in 0..numbers.below(4).min(edits - heard[who]) {
            editors[who].hear().await.unwrap();
            heard[who] += 1;
        }
        let length = editors[who].text.chars().count();
        let at = numbers.below(length + 1);
        let removed = numbers.below((length - at).min(3) + 1);
        let inserted = ["", "a", "ß", "你好", "xyz"][numbers.below(5)];
        editors[who]
            .edit(at as u32, removed as u32, inserted)
            .await
            .unwrap();
        edits += 1;
    }
    for (editor, heard) in editors.iter_mut().zip(heard) {
        for _ in heard..edits {
            editor.hear().await.unwrap();
        }
    }
    let [ann, bob] = editors;
    assert_eq!(ann.text, bob.text);
    assert!(ann.text.len() > 100, "they have typed something: {:?}", ann.text);
    let late = Editor::open(&server.client()).await.unwrap();
    assert_eq!((late.text, late.seen), (ann.text, ann.seen));
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_hears_what_was_typed_meanwhile() {
    let server = testing::serve(server().unwrap());
    let (client, other) = (server.client(), server.client());
    let mut ann = Editor::open(&client).await.unwrap();
    ann.edit(0, 0, "one").await.unwrap();
    ann.hear().await.unwrap();
    server.disconnect_all().await;
    let mut bob = Editor::open(&other).await.unwrap();
    bob.edit(3, 0, " two").await.unwrap();
    bob.hear().await.unwrap();
    ann.hear().await.unwrap();
    assert_eq!((&*ann.text, &*bob.text), ("one two", "one two"));
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_a_text_that_nobody_has_is_refused() {
    let server = testing::serve(server().unwrap());
    let mut ann = Editor::open(&server.client()).await.unwrap();
    let refused = ann.edit(1, 0, "x").await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "OUT_OF_RANGE: the text is not as long as that"
    );
    ann.edit(0, 0, "x").await.unwrap();
    ann.hear().await.unwrap();
    let seen = ann.seen.unwrap();
    for unknown in [
        Position { offset: 2, ..seen },
        Position {
            epoch: seen.epoch ^ 1,
            ..seen
        },
    ] {
        ann.seen = Some(unknown);
        let refused = ann.edit(0, 0, "x").await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "OUT_OF_RANGE: this is based on an edit that is not known"
        );
    }
    let long = "x".repeat(60_000);
    ann.seen = Some(seen);
    let refused = ann.edit(0, 0, &long).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "RESOURCE_EXHAUSTED: a text has at most 60,000 bytes"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_based_on_an_edit_of_long_ago_is_refused() {
    let server = testing::serve(server().unwrap());
    let ann = Editor::open(&server.client()).await.unwrap();
    let mut bob = Editor::open(&server.client()).await.unwrap();
    for _ in 0..KEPT {
        bob.edit(0, 0, "x").await.unwrap();
        bob.hear().await.unwrap();
    }
    // Ann has seen none of them, and that is as far back as it goes.
    ann.edit(0, 0, "a").await.unwrap();
    let refused = ann.edit(0, 0, "a").await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "OUT_OF_RANGE: this is based on an edit that is not known"
    );
}
