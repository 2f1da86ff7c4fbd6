document.title = "The page";
