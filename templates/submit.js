// Form Post Response Mode: sends the answer without a click. Without this script the button does it.
document.forms[0].submit();
