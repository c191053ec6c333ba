sign-in = Sign in
sign-in-lead = You need no password. Your community sends you a private message with a link that lets you in.
sign-in-nobody = No community can send links yet. Please ask the people who run this site.
sign-in-community = Your community
sign-in-choose = Please choose
sign-in-handle = Your name there
sign-in-handle-hint = The name or mail address under which your community knows you. Your clinic never learns it.
sign-in-ask = Send me a link
sign-in-wrong-community = Please choose your community.
sign-in-wrong-handle = Please enter the name under which your community knows you.
sent = Look at your messages
sent-text = If your community knows somebody under this name, a private message is on its way.
sent-browser = Open the link in this browser. Anywhere else it does not let you in.
sent-time = The link is good for 10 minutes, and once.
sent-nothing = If nothing comes: is the name spelled as in your community? Then ask again in a few minutes.
ask-again = Ask for a link
link-good = Nearly there
link-good-more = You asked for this link in this browser. Press the button to come in.
link-other-browser = Please open the link in the other browser
link-other-browser-more = This link was asked for in another browser or app, and lets you in only there. So nobody who gets hold of the link can use it. You can go back to that browser and open it there, or ask for a new link here. If you did not ask for any, you need not do anything.
link-gone = This link is no longer good
link-gone-more = It was used already, or it is older than 10 minutes. You can ask for a new one.
sign-out-here = Sign out of this browser
sign-out-everywhere = Sign out everywhere
sign-out-everywhere-text = If you used another device, or somebody else might have been at yours, you can sign out of every browser and app at once.
flash-signed-out = You are signed out.
message-subject = Your link to sign in
message-text = Here is your link to sign in to mostik, where you decide what you share from { $community }:
    { $link }

    It is good for 10 minutes, once, and only in the browser in which you asked for it.

    If you did not ask for it, you need not do anything.
