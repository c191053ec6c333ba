//! Notes: a little HTML on paper, text in the entry.

use super::super::note::plain;

#[test]
fn breaks_become_lines() {
    assert_eq!(plain("one<br>two<br/>three<BR />four<br><br>five"), "one\ntwo\nthree\nfour\n\nfive");
}

#[test]
fn blocks_become_lines_and_list_items_get_a_dash() {
    assert_eq!(plain("a<div>b</div><div><br></div><div>c</div>"), "a\nb\n\nc");
    assert_eq!(plain("buy<ul><li>tea</li><li>bread</li></ul>then home"), "buy\n- tea\n- bread\nthen home");
    assert_eq!(plain("<p dir=\"ltr\">one</p><p>two</p>"), "one\ntwo");
}

#[test]
fn formatting_is_dropped_and_its_text_kept() {
    assert_eq!(plain("never <b>min<i>d</i></b> <font color=\"#ff0000\">red</font>"), "never mind red");
}

#[test]
fn entities_become_characters_once() {
    assert_eq!(plain("tea &amp; cake &lt;3 &quot;x&quot; &#39;y&#39; &#xE4;&nbsp;!"), "tea & cake <3 \"x\" 'y' ä !");
    assert_eq!(plain("&amp;lt;br&amp;gt; &lt;br&gt;"), "&lt;br&gt; <br>");
}

#[test]
fn what_the_editor_does_not_write_is_the_members_own_text() {
    for text in [
        "I <3 tea",
        "a < b > c",
        "A & B, &unknown; &#0; &#xD800; &;",
        "<script>",
        "<",
        "&",
        "x <",
        "<>",
        "</>",
        "1 <<< 2",
    ] {
        assert_eq!(plain(text), text);
    }
}

#[test]
fn a_note_of_nothing_but_angle_brackets_is_read_in_good_time() {
    let many = "<&".repeat(32 * 1024);
    assert_eq!(plain(&many), many);
}
